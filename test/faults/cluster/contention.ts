/** Many edit the access list of one image, through several processes. */
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import type { Terrain } from '../../engines/grounds.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type Site, secondProcess, startSite } from '../../helpers/cloud.ts';
import { MANIFEST } from '../../helpers/images.ts';

const PROCESSES = 4;
const EDITORS = 8;
const EDITS = 3;
/** Milliseconds within which each edit is done, whatever else the machine does. */
const BOUND_MS = 60_000;

export function contention({ name, make }: Terrain): void {
  test(`${name}: of the edits of ${PROCESSES * EDITORS} at once none is lost, and none waits for ever`, async (t) => {
    const first = await startSite(t, 'us-west', {}, await make?.(t));
    const others = await Promise.all(Array.from({ length: PROCESSES - 1 }, () => secondProcess(t, first)));
    await Promise.all(others.map((site) => site.start()));
    const { uuid } = await first.alice.createImage(MANIFEST);
    const times: number[] = [];
    const timed = async (work: Promise<unknown>): Promise<void> => {
      const begin = performance.now();
      await work;
      times.push(performance.now() - begin);
    };
    const edit = async ({ front }: Site): Promise<string[]> => {
      const client = new ImgapiClient({ url: front.url, account: ALICE });
      const added = Array.from({ length: EDITS }, () => crypto.randomUUID());
      for (const account of added) await timed(client.addImageAcl(uuid, [account]));
      await timed(client.removeImageAcl(uuid, added.slice(0, 1)));
      await client.destroy();
      return added.slice(1);
    };
    const editors = [first, ...others].flatMap((site) => Array.from({ length: EDITORS }, () => edit(site)));
    const left = (await Promise.all(editors)).flat();
    for (const site of [first, ...others]) {
      t.strictSame((await site.alice.getImage(uuid)).acl?.toSorted(), left.toSorted());
    }
    const longest = Math.max(...times);
    t.ok(longest < BOUND_MS);
    t.comment(`${times.length} edits, each within ${Math.round(longest)} ms`);
  });
}
