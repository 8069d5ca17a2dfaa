import type { Block } from './ring.ts';
import type { HashStream } from './stream.ts';

/** Hashes bytes that are in memory already: it gathers them in the blocks that the hashing threads read. */
export class HashFeed {
  readonly #hash: HashStream;
  #block: Block | undefined;
  #filled = 0;

  constructor(hash: HashStream) {
    this.#hash = hash;
  }

  /** The bytes may be used again when this resolves. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      this.#block ??= await this.#hash.block();
      const part = rest.subarray(0, this.#block.bytes.length - this.#filled);
      this.#block.bytes.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#block.bytes.length) this.flush();
    }
  }

  /** Needed before the hashes are asked for. */
  flush(): void {
    if (this.#block === undefined) return;
    this.#hash.update(this.#block, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
  }
}
