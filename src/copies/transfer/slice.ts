/** A part of a piece, in memory until those before it are staged. */
import { incoming } from '#lib/objects/incoming.ts';
import { letGo } from '#lib/objects/let-go.ts';
import type { AppendOptions } from '#lib/objects/object-store.ts';

/** Bytes. Memory is taken as they come; so much at a time goes back to the system as soon as it is free. */
const BLOCK = 256 * 1024;
/** Milliseconds from one report of progress to the next. */
const TELL_MS = 50;

interface Block {
  readonly bytes: Uint8Array;
  filled: number;
}

export class Slice {
  readonly start: number;
  readonly length: number;
  #written = 0;
  #blocks: Block[] = [];

  constructor(start: number, length: number) {
    this.start = start;
    this.length = length;
  }

  /** Bytes that have come; 0 again after {@link drop}. */
  get written(): number {
    return this.#written;
  }

  /** Whether its bytes have left the memory again. */
  get isTaken(): boolean {
    return this.#written > 0 && this.#blocks.length === 0;
  }

  /** The bytes that are in memory, in order. */
  get blocks(): readonly Uint8Array[] {
    return this.#blocks.map(({ bytes, filled }) => bytes.subarray(0, filled));
  }

  /** As `Piece.write`. */
  async write(source: AsyncIterable<Uint8Array>, options: AppendOptions = {}): Promise<void> {
    const { signal = new AbortController().signal, onProgress, disposable = false } = options;
    let toldAt = performance.now();
    try {
      for await (const bytes of incoming(source, { signal, limit: this.length, taken: this.#written, disposable })) {
        for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(this.#add(rest));
        if (performance.now() - toldAt < TELL_MS) continue;
        toldAt = performance.now();
        onProgress?.(this.#written);
      }
    } finally {
      onProgress?.(this.#written);
    }
  }

  /** Takes the blocks out, one by one, each whole unless it was cut off. */
  *taken(): Generator<Uint8Array> {
    for (let block = this.#blocks.shift(); block; block = this.#blocks.shift()) {
      yield block.filled === block.bytes.length ? block.bytes : block.bytes.subarray(0, block.filled);
    }
  }

  drop(): void {
    for (const { bytes } of this.#blocks.splice(0)) letGo(bytes);
    this.#written = 0;
  }

  /** How many of the bytes fit into the last block. */
  #add(bytes: Uint8Array): number {
    let block = this.#blocks.at(-1);
    if (!block || block.filled === block.bytes.length) {
      block = { bytes: new Uint8Array(Math.min(BLOCK, this.length - this.#written)), filled: 0 };
      this.#blocks.push(block);
    }
    const part = bytes.subarray(0, block.bytes.length - block.filled);
    block.bytes.set(part, block.filled);
    block.filled += part.length;
    this.#written += part.length;
    return part.length;
  }
}
