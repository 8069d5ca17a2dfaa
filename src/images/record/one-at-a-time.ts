/**
 * Writes to one image wait for each other in this process, first come, first served. Each is safe without that, because
 * it names the etag that it read; but of many who read and write at once nearly all lose, and whoever is unlucky loses
 * every time. Building on an image writes to it too, so anybody who may do that could keep its owner from changing it.
 *
 * `work` reads, decides and writes; it must not wait here for another image's turn, except for one that this one
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
