/** A server is killed at each step of placing an uploaded file. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import type { Terrain } from '../engines/grounds.ts';
import { MiB, type Site, startSite } from '../helpers/cloud.ts';
import { ELSEWHERE } from '../helpers/cluster.ts';
import { MANIFEST, makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';

/** Longer than any lease that a dead process may have left. */
const LATER = 150_000;
const SIZE = 5 * MiB;

const POINTS = [
  { point: 'upload:staged', when: 'the bytes are staged', outcome: 'old' },
  { point: 'upload:intent-recorded', when: 'it noted that it will place them', outcome: 'old' },
  { point: 'upload:placed', when: 'they are in their place', outcome: 'new' },
  { point: 'upload:recorded', when: 'the record has them', outcome: 'new' },
] as const;

export function uploadDies({ name, make }: Terrain): void {
  test(`${name}: A killed upload leaves the file of before or the new one`, async (t) => {
    const site = await startSite(t, 'us-west', {}, await make?.(t));
    const kept = await makeImage(site.alice);
    for (const { point, when, outcome } of POINTS) {
      await t.test(
        `first file, killed when ${when}: ${outcome === 'new' ? 'it is there' : 'there is none'}`,
        async (t) => {
          await site.restart({ fault: `${point}=kill` });
          const { uuid } = await site.alice.createImage(MANIFEST);
          const bytes = randomBytes(SIZE);
          await killedUpload(site, uuid, bytes);
          await assertSound(t, site);
          t.same(await hashesOf(site, uuid), outcome === 'new' ? [sha1Of(bytes)] : []);
          await replaceAndActivate(site, uuid);
        },
      );
      await t.test(`second file, killed when ${when}: the ${outcome} one is there`, async (t) => {
        await site.restart({ fault: `${point}=kill@2` });
        const { image, bytes: before } = await makeImage(site.alice, {}, { size: SIZE, activate: false });
        const bytes = randomBytes(SIZE + 1);
        await killedUpload(site, image.uuid, bytes);
        await assertSound(t, site);
        t.same(await hashesOf(site, image.uuid), [sha1Of(outcome === 'new' ? bytes : before)]);
        await replaceAndActivate(site, image.uuid);
      });
    }
    await t.test('nobody reads new bytes under the old record before that is mended', async (t) => {
      // Nobody here can tell that it has died.
      await site.restart({ fault: 'upload:placed=kill@2', ...ELSEWHERE });
      const { image } = await makeImage(site.alice, {}, { size: SIZE, activate: false });
      await killedUpload(site, image.uuid, randomBytes(SIZE), 0);
      await t.rejects(site.alice.getImageFile(image.uuid), { code: 'ImageFileBusy' });
      await site.restart({ later: LATER });
      await assertSound(t, site);
    });
    t.equal((await hashesOf(site, kept.image.uuid))[0], sha1Of(kept.bytes));
    await assertSound(t, site);
  });
}

/** An upload during which the server dies. It is restarted as if `later` milliseconds had passed. */
async function killedUpload(site: Site, uuid: string, bytes: Buffer, later = LATER): Promise<void> {
  const upload = site.alice
    .addImageFile(uuid, Readable.from([bytes]), { compression: 'none', size: bytes.length })
    .catch((error: unknown) => error);
  await site.diesByItself();
  await upload;
  await site.start({ later });
}

async function hashesOf(site: Site, uuid: string): Promise<string[]> {
  const { files } = await site.alice.getImage(uuid);
  return files.map(({ sha1 }) => sha1);
}

/** Shows that the image can be finished, whatever happened. */
async function replaceAndActivate({ alice }: Site, uuid: string): Promise<void> {
  await alice.addImageFile(uuid, Readable.from([randomBytes(1000)]), { compression: 'none' });
  await alice.activateImage(uuid);
}
