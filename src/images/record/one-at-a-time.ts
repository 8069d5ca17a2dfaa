/**
 * Queues the writes to one image within this process, first come, first served. Etags alone make each write safe, but
 * when many callers read and write at the same time nearly all of them conflict, and an unlucky one conflicts every
 * time. Building on an image writes to it too, so anybody who may do that could keep its owner from changing it.
 *
 * `work` reads, decides and writes. While it runs it must not queue for another image, except for one that this image
 * builds on.
 */
import type { Store, WithStore } from '#lib/documents/store.ts';

/** The end of each queue, by UUID. */
const QUEUES = new WeakMap<Store, Map<string, Promise<void>>>();

export async function oneAtATime<T>({ store }: WithStore, uuid: string, work: () => Promise<T>): Promise<T> {
  let ends = QUEUES.get(store);
  if (!ends) {
    ends = new Map();
    QUEUES.set(store, ends);
  }
  const before = ends.get(uuid);
  const { promise: end, resolve } = Promise.withResolvers<void>();
  ends.set(uuid, end);
  await before;
  try {
    return await work();
  } finally {
    resolve();
    if (ends.get(uuid) === end) ends.delete(uuid);
  }
}
