import type { Block } from '../hashing/ring.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { Allotment, Room } from './room.ts';
import type { StagedFile } from './staged-file.ts';

/** Milliseconds after which a block is written although it is not full, when more bytes arrive. */
const PATIENCE = 500;

export interface BlockWriterOptions {
  readonly file: StagedFile;
  readonly hash: HashStream;
  readonly allotment: Allotment;
  readonly room: Room;
  readonly onProgress?: ((size: number) => void) | undefined;
}

/**
 * Gathers the pieces of a source in blocks. While one block fills, the one before it is written to the file and those
 * before that are hashed. Exactly the bytes that reached the file are hashed, in order.
 */
export class BlockWriter {
  readonly #options: BlockWriterOptions;
  #block: Block | undefined;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;
  #wroteAt = performance.now();

  constructor(options: BlockWriterOptions) {
    this.#options = options;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      this.#block ??= await this.#options.hash.block();
      const part = rest.subarray(0, this.#block.bytes.length - this.#filled);
      this.#block.bytes.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#block.bytes.length || performance.now() - this.#wroteAt > PATIENCE) {
        await this.#submit();
      }
    }
  }

  /** Writes what is buffered and waits until everything is written. */
  async drain(): Promise<void> {
    await this.#submit();
    await this.#writing;
  }

  async #submit(): Promise<void> {
    const block = this.#block;
    const filled = this.#filled;
    this.#block = undefined;
    this.#filled = 0;
    try {
      await this.#writing;
    } finally {
      if (block !== undefined) {
        this.#writing = this.#store(block, filled);
        // So that it is not an unhandled rejection: the next call that waits for the write gets the failure.
        this.#writing.catch(() => undefined);
      }
    }
  }

  async #store(block: Block, length: number): Promise<void> {
    const { file, hash, allotment, room, onProgress } = this.#options;
    const before = file.size;
    try {
      // Nothing may be written after a failure, or there would be a gap.
      if (!this.#failed) {
        await allotment.claim(length);
        await file.append(block.bytes.subarray(0, length));
      }
    } catch (error) {
      this.#failed = true;
      throw await room.explain(error, length);
    } finally {
      const written = file.size - before;
      allotment.grow(written);
      hash.update(block, written);
      this.#wroteAt = performance.now();
    }
    onProgress?.(file.size);
  }
}
