/** Compares the objects of a bucket in two stores. */
import type { Bucket, Store, Stored } from '../store.ts';
import { sideBySide } from './side-by-side.ts';
import { canonical, Tally } from './tally.ts';

/** The stores differ where they should not. */
export class DifferentError extends Error {
  override readonly name = 'DifferentError';
}

export interface CompareOptions {
  readonly signal: AbortSignal;
  /** Those of the keys whose objects may differ, because they have just been written. Default: none. */
  readonly excused?: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Called with the number of objects that were compared so far. */
  readonly onProgress?: (objects: number) => void;
}

/** What is in the target. @throws DifferentError that names an object that differs */
export async function compare(
  source: Store,
  target: Store,
  bucket: Bucket,
  { signal, excused, onProgress }: CompareOptions,
): Promise<Tally> {
  const tally = new Tally();
  for await (const pairs of sideBySide(source, target, bucket, signal)) {
    const different = pairs.filter((pair) => !isSame(pair.source, pair.target));
    if (different.length > 0) {
      const fine = await excused?.(different.map(({ key }) => key));
      const wrong = different.find(({ key }) => fine?.has(key) !== true);
      if (wrong) throw differentError(bucket, wrong.key, wrong.source, wrong.target);
    }
    tally.add(pairs.flatMap((pair) => pair.target ?? []));
    onProgress?.(tally.objects);
  }
  return tally;
}

export function isSame(ours: Stored<object> | undefined, theirs: Stored<object> | undefined): boolean {
  if (!ours || !theirs) return ours === theirs;
  return canonical(ours.value) === canonical(theirs.value);
}

export function differentError(bucket: Bucket, key: string, ours: unknown, theirs: unknown): DifferentError {
  const how = theirs === undefined ? 'is missing' : ours === undefined ? 'is too many' : 'has another value';
  return new DifferentError(`${bucket.name}::${key} ${how} in the new store`);
}
