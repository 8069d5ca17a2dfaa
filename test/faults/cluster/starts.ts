/** Many processes start at once, on an empty database and on that of an earlier version, which goes on serving. */
import { test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import type { GroundUnderTest } from '../../engines/grounds.ts';
import { startBalancer } from '../../helpers/balancer.ts';
import type { Site } from '../../helpers/cloud.ts';
import { ELSEWHERE, makeMember, NEWER } from '../../helpers/cluster.ts';
import { type MadeImage, makeImage } from '../../helpers/images.ts';
import { assertSound, sha1Served } from '../../helpers/invariants.ts';
import { waitFor } from '../../helpers/wait.ts';
import { Workload } from '../../helpers/workload.ts';

const STARTS = 20;

export function starts({ name, make }: GroundUnderTest): void {
  test(`${name}: ${STARTS} processes start at once, and a later version beside an earlier one`, async (t) => {
    const ground = await make(t);
    const members = (): Promise<Site[]> => Promise.all(Array.from({ length: STARTS }, () => makeMember(t, ground)));
    const earlier = await members();
    const [one, two, ...rest] = earlier as [Site, Site, ...Site[]];

    await t.test(
      'on an empty database and an empty bucket: none fails, and each serves what another took',
      async (t) => {
        await Promise.all(earlier.map((site) => site.start(ELSEWHERE)));
        const made = await Promise.all(earlier.map(makeSmall));
        for (const [at, { image }] of made.entries()) {
          const reader = earlier[(at + 7) % STARTS] ?? one;
          t.equal(await sha1Served(reader.alice, image.uuid), image.files[0]?.sha1);
        }
        await Promise.all(rest.map((site) => site.kill()));
      },
    );

    await t.test('on the database of an earlier version, whose processes go on: no request fails', async (t) => {
      const balancer = await startBalancer([one, two].map(({ front }) => front.port));
      t.teardown(() => balancer.close());
      const load = new Workload(balancer.url, 2);
      const later = await members();
      const [first, second, ...others] = later as [Site, Site, ...Site[]];
      await Promise.all(later.map((site) => site.start(NEWER)));
      await Promise.all(others.map((site) => site.kill()));
      const { image } = await makeSmall(first);
      t.equal(await sha1Served(one.alice, image.uuid), image.files[0]?.sha1, 'the earlier ones see what is new');
      t.equal((await second.alice.listImages({ limit: 1 })).length, 1);

      // As in a roll: they take no more connections, and end what they have begun.
      balancer.ports = [first, second].map(({ front }) => front.port);
      t.same(await Promise.all([one, two].map(({ server }) => server.stop())), [0, 0]);
      const enough = load.good + 20;
      await waitFor('the later ones to answer', () => load.good > enough);
      await load.end();
      t.strictSame({ unexpected: load.unexpected, ...load.trouble }, { unexpected: [], refused: 0, lost: 0 });
      t.strictSame(await load.lies(first.alice), []);
      await assertSound(t, first);
    });
  });
}

/** A process that starts goes on without a store that does not answer within ten seconds, as on a machine so busy. */
function makeSmall({ alice }: Site): Promise<MadeImage> {
  return waitFor('the store to be taken in', async () => {
    try {
      return await makeImage(alice, {}, { size: 1000 });
    } catch (error) {
      if (error instanceof ImgapiError && error.code === 'StorageIsDown') return undefined;
      throw error;
    }
  });
}
