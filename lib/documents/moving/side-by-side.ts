/** The objects of a bucket in two stores, side by side, in memory that does not grow with their number. */
import { Ahead } from '../ahead.ts';
import type { Bucket, Store, Stored } from '../store.ts';

export interface Pair {
  readonly key: string;
  readonly source: Stored<object> | undefined;
  readonly target: Stored<object> | undefined;
}

/** In pieces, ordered by key. */
export async function* sideBySide(
  source: Store,
  target: Store,
  bucket: Bucket,
  signal: AbortSignal,
): AsyncGenerator<readonly Pair[], void> {
  const theirs = new Ahead(target.scan(bucket, {}, { signal }));
  try {
    for await (const piece of source.scan(bucket, {}, { signal })) {
      const pairs: Pair[] = [];
      for (const one of piece) {
        for (let other = await theirs.peek(); other && before(other.key, one.key); other = await theirs.peek()) {
          pairs.push({ key: other.key, source: undefined, target: theirs.take() });
        }
        const same = (await theirs.peek())?.key === one.key;
        pairs.push({ key: one.key, source: one, target: same ? theirs.take() : undefined });
      }
      yield pairs;
    }
    while (await theirs.peek()) yield theirs.takeAll().map((one) => ({ key: one.key, source: undefined, target: one }));
  } finally {
    await theirs.close();
  }
}

function before(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
