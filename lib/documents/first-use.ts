/** Documents that exist exactly once, created when they are first needed. */
import type { Bucket, Store, Stored } from './store.ts';
import { unlessChanged } from './update.ts';

/** Concurrent callers, even in different processes, all get the same document. */
export async function madeOnFirstUse<T extends object>(
  store: Store,
  bucket: Bucket<T>,
  key: string,
  make: () => T | Promise<T>,
): Promise<Stored<T>> {
  const stored = await store.get(bucket, key);
  if (stored) return stored;
  const value = await make();
  await unlessChanged(store.batch([{ op: 'put', bucket, key, value, ifEtag: null }]));
  const made = await store.get(bucket, key);
  if (!made) throw new Error(`"${key}" is not in ${bucket.name} after it was written`);
  return made;
}
