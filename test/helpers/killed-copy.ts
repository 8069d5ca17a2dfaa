/** Kills the destination at a named point of a copy and starts it again. */
import type { Test } from 'tap';
import { type Cloud, MiB } from './cloud.ts';
import { makeImage } from './images.ts';
import { assertMoved, assertSound, watchImages } from './invariants.ts';

export interface Death {
  readonly when: string;
  /** `IMGAPI_FAULT`, see src/service/fault-points.ts. */
  readonly fault: string;
  /** Milliseconds by which its clock is ahead of the source's when it comes back. */
  readonly later?: number;
}

/** Large enough that moving the file twice shows in the number of bytes moved. */
export const COPY_SIZE = 24 * MiB;

export async function copyThrough(t: Test, { east, west }: Cloud, { fault, later = 0 }: Death): Promise<void> {
  const { image } = await makeImage(east.alice, {}, { size: COPY_SIZE });
  await west.restart({ fault });
  const watch = watchImages(t, west, [image.uuid]);
  const before = east.network.received;
  const order = west.order(image.uuid, east.name).catch((error: unknown) => error);
  await west.diesByItself();
  await order;
  await west.start({ later });
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  assertMoved(t, east.network.received - before, COPY_SIZE);
  await watch.end();
  await assertSound(t, west);
  t.equal((await west.alice.getImage(image.uuid)).published_at, image.published_at);
}
