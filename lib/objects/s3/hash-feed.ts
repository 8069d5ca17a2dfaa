import type { Block } from '../hashing/ring.ts';
import type { HashStream } from '../hashing/stream.ts';

/** Gathers pieces in the blocks that the hashing threads read. */
export class HashFeed {
  readonly #hash: HashStream;
  #block: Block | undefined;
  #filled = 0;

  constructor(hash: HashStream) {
    this.#hash = hash;
  }

  async add(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      this.#block ??= await this.#hash.block();
      const part = rest.subarray(0, this.#block.bytes.length - this.#filled);
      this.#block.bytes.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#block.bytes.length) this.drain();
    }
  }

  /** Hands over what is gathered; before the hashes are asked for. */
  drain(): void {
    if (this.#block) this.#hash.update(this.#block, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
  }
}
