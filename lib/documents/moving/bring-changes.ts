/** Brings along single objects that have changed since all were compared. */
import type { Bucket, Store, Stored } from '../store.ts';
import { differs, writePairs } from './bring-up-to-date.ts';
import { differentError, isSame } from './compare.ts';
import type { Tally } from './tally.ts';

/**
 * Makes those objects of the target like the source's, compares them, and corrects the tally of the target.
 * @returns those that have to wait for a unique value that another object has there
 * @throws DifferentError
 */
export async function bringChanges(
  source: Store,
  target: Store,
  bucket: Bucket,
  keys: readonly string[],
  tally: Tally,
): Promise<string[]> {
  const [ours, before] = [await byKey(source, bucket, keys), await byKey(target, bucket, keys)];
  const pairs = keys.map((key) => ({ key, source: ours.get(key), target: before.get(key) })).filter(differs);
  const waiting = pairs.length > 0 ? (await writePairs(target, bucket, pairs)).map(({ key }) => key) : [];
  const now = pairs.length > 0 ? await byKey(target, bucket, keys) : before;
  const wrong = keys.find((key) => !waiting.includes(key) && !isSame(ours.get(key), now.get(key)));
  if (wrong !== undefined) throw differentError(bucket, wrong, ours.get(wrong), now.get(wrong));
  tally.remove(before.values());
  tally.add(now.values());
  return waiting;
}

async function byKey(store: Store, bucket: Bucket, keys: readonly string[]): Promise<Map<string, Stored<object>>> {
  return new Map((await store.getMany(bucket, keys)).map((stored) => [stored.key, stored]));
}
