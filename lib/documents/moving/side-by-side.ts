/** The objects of a bucket in two stores, side by side, in memory that does not grow with their number. */
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

/** Reads pieces one by one. */
class Ahead {
  readonly #pieces: AsyncIterator<readonly Stored<object>[]>;
  #piece: readonly Stored<object>[] = [];
  #at = 0;

  constructor(pieces: AsyncIterable<readonly Stored<object>[]>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next object; undefined at the end. */
  async peek(): Promise<Stored<object> | undefined> {
    if (this.#at === this.#piece.length) {
      const next = await this.#pieces.next();
      this.#piece = next.done === true ? [] : next.value;
      this.#at = 0;
    }
    return this.#piece[this.#at];
  }

  take(): Stored<object> | undefined {
    const taken = this.#piece[this.#at];
    this.#at += 1;
    return taken;
  }

  takeAll(): readonly Stored<object>[] {
    const taken = this.#piece.slice(this.#at);
    this.#at = this.#piece.length;
    return taken;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
