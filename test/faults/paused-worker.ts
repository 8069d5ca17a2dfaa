/** A worker is paused until after its lease expires, another one finishes its work, and the first one wakes up. */
import { test } from 'tap';
import type { Terrain } from '../engines/grounds.ts';
import { MiB, secondProcess, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, sha1Served, watchImages } from '../helpers/invariants.ts';

const SIZE = 24 * MiB;
/** Longer than the lease of a file that is being placed. */
const LATER = 120_000;

const POINTS: readonly { readonly when: string; readonly fault: string; readonly later?: number }[] = [
  { when: 'in the middle of the bytes', fault: 'copy:receiving=stop@20' },
  { when: 'when all bytes are there', fault: 'copy:received=stop' },
  { when: 'when it noted that it will place the file', fault: 'upload:intent-recorded=stop', later: LATER },
  { when: 'when the file is in its place', fault: 'upload:placed=stop', later: LATER },
  { when: 'right before the images become usable', fault: 'copy:before-commit=stop' },
];

export function pausedWorker({ name, make }: Terrain): void {
  test(`${name}: A worker that wakes up after another one took over spoils nothing`, async (t) => {
    const { east, west } = await startCloud(t, { ground: await make?.(t) });
    const other = await secondProcess(t, west);
    for (const { when, fault, later } of POINTS) {
      await t.test(`asleep ${when}`, async (t) => {
        const { image } = await makeImage(east.alice, {}, { size: SIZE });
        await west.restart({ fault });
        const before = east.network.received;
        const order = west.order(image.uuid, east.name).catch((error: unknown) => error);
        await west.pausesByItself();
        await other.start(later === undefined ? {} : { later });
        const watch = watchImages(t, other, [image.uuid]);
        t.equal((await other.ended(image.uuid)).state, 'succeeded');
        assertMoved(t, east.network.received - before, SIZE);
        west.resume();
        await order;
        await west.alice.ping();
        await assertSound(t, other);
        await assertSound(t, west);
        t.equal(await sha1Served(west.alice, image.uuid), image.files[0]?.sha1);
        await watch.end();
        await other.kill();
      });
    }
  });
}
