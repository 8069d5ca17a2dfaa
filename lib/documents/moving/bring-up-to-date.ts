/** Makes a bucket of one store like that of another, by writing what differs. */
import { UniqueAttributeError } from '../errors.ts';
import type { Bucket, Store, Write } from '../store.ts';
import { isSameState } from './moved.ts';
import { type Pair, sideBySide } from './side-by-side.ts';

export interface Compared {
  /** Objects of the source. */
  readonly objects: number;
  /** What was written or removed in the target. */
  readonly changed: number;
}

export interface BringOptions {
  readonly signal: AbortSignal;
  /** Called with what was done so far. */
  readonly onProgress?: (compared: Compared) => void;
}

/** Writes in one batch: Moray takes them as one message. */
const BATCH = 200;

/** Safe to repeat; a repetition goes on where the last one ended. Keys, values and etags stay as they are. */
export async function bringUpToDate(
  source: Store,
  target: Store,
  bucket: Bucket,
  { signal, onProgress }: BringOptions,
): Promise<Compared> {
  let objects = 0;
  let changed = 0;
  let late: Pair[] = [];
  for await (const pairs of sideBySide(source, target, bucket, signal)) {
    objects += pairs.filter((pair) => pair.source).length;
    const different = pairs.filter(differs);
    for (let at = 0; at < different.length; at += BATCH) {
      signal.throwIfAborted();
      const some = different.slice(at, at + BATCH);
      late.push(...(await writePairs(target, bucket, some)));
    }
    changed += different.length;
    onProgress?.({ objects, changed });
  }
  // A unique value that went from one object to another is free once both are written.
  for (let before = Number.POSITIVE_INFINITY; late.length > 0 && late.length < before; ) {
    before = late.length;
    late = await writePairs(target, bucket, late);
  }
  return { objects, changed };
}

/** Whether one of the two has to be written or removed. */
export function differs({ source, target }: Pair): boolean {
  if (!source || !target) return source !== target;
  return !isSameState(target.etag, source.etag);
}

/** Returns those that have to wait for others. */
export async function writePairs(target: Store, bucket: Bucket, pairs: readonly Pair[]): Promise<Pair[]> {
  try {
    await target.batch(pairs.map((pair) => writeOf(bucket, pair)));
    return [];
  } catch (error) {
    if (!(error instanceof UniqueAttributeError)) throw error;
  }
  // Who has the value may be among the others, and what is written now is not read yet.
  const waiting: Pair[] = [];
  await target.batch(pairs.map(({ key }) => ({ op: 'del', bucket, key })));
  for (const pair of pairs) {
    try {
      await target.batch([writeOf(bucket, pair)]);
    } catch (error) {
      if (!(error instanceof UniqueAttributeError)) throw error;
      waiting.push(pair);
    }
  }
  return waiting;
}

function writeOf(bucket: Bucket, { key, source }: Pair): Write {
  if (!source) return { op: 'del', bucket, key };
  const { value, etag, mtime } = source;
  return { op: 'put', bucket, key, value, as: { etag, mtime } };
}
