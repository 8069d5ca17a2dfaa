/** A stream as several, one after the other, each of at most so many bytes or so many seconds. */
import type { Readable } from 'node:stream';

/** Whatever is lost with a process that dies has to be sent again. */
const SLICE_BYTES = 64 * 1024 ** 2;
const SLICE_MS = 5_000;

export class Slices {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #hasEnded = false;

  /** @param source stays open, because a refusal still has to be answered on the connection that the bytes come from */
  constructor(source: Readable) {
    this.#iterator = source.iterator({ destroyOnReturn: false });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async *next(): AsyncGenerator<Uint8Array, void> {
    const began = performance.now();
    for (let bytes = 0; bytes < SLICE_BYTES && performance.now() - began < SLICE_MS; ) {
      const { done, value } = await this.#iterator.next();
      if (done) {
        this.#hasEnded = true;
        return;
      }
      bytes += value.length;
      yield value;
    }
  }

  /** Not waited for: a silent source would hold it. */
  end(): void {
    this.#iterator.return?.().catch(() => undefined);
  }
}
