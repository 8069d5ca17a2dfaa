/**
 * The memory that the main thread shares with the hashing threads. All streams take their blocks from it, so it stays
 * bounded however many there are. None of it is left to a garbage collector: an idle thread never collects, and would
 * hold on to whatever was shared with it.
 */

/** Measured: every message between threads costs a wake-up, and blocks larger than this gain nothing. */
const BLOCK_SIZE = 1024 * 1024;
/** Enough for two streams at full speed. */
const BLOCKS = 8;
/** Bytes of a block for a stream that finds all of these taken: of many streams each has one. */
const SMALL_SIZE = 32 * 1024;
const SMALL_BLOCKS = 64;
const LARGE_BYTES = BLOCKS * BLOCK_SIZE;

/** Waits for a block; `supply` is called when one is free. */
export interface Taker {
  supply(): void;
}

/** Where a block begins in the shared memory. */
export function offsetOf(index: number): number {
  return index < BLOCKS ? index * BLOCK_SIZE : LARGE_BYTES + (index - BLOCKS) * SMALL_SIZE;
}

export class SharedBlocks {
  /** The system allocates the pages only when they are first written to. */
  readonly buffer = new SharedArrayBuffer(LARGE_BYTES + SMALL_BLOCKS * SMALL_SIZE);
  readonly #free = new Set(Array.from({ length: BLOCKS }, (_, index) => index));
  readonly #freeSmall = Array.from({ length: SMALL_BLOCKS }, (_, index) => BLOCKS + SMALL_BLOCKS - 1 - index);
  /** In order of arrival. */
  readonly #waiting = new Set<Taker>();

  /** The first one that is free: few uploads touch few pages, and blocks that follow each other can be hashed as one. */
  take(): number | undefined {
    if (this.#free.size === 0) return undefined;
    const first = Math.min(...this.#free);
    this.#free.delete(first);
    return first;
  }

  takeSmall(): number | undefined {
    return this.#freeSmall.pop();
  }

  give(index: number): void {
    if (index >= BLOCKS) {
      // Whoever waits has one of these already, or memory of its own.
      this.#freeSmall.push(index);
      return;
    }
    this.#free.add(index);
    for (const taker of this.#waiting) {
      if (this.#free.size === 0) {
        return;
      }
      this.#waiting.delete(taker);
      taker.supply();
    }
  }

  wait(taker: Taker): void {
    this.#waiting.add(taker);
  }

  leave(taker: Taker): void {
    this.#waiting.delete(taker);
  }

  at(index: number): Uint8Array {
    return new Uint8Array(this.buffer, offsetOf(index), index < BLOCKS ? BLOCK_SIZE : SMALL_SIZE);
  }
}
