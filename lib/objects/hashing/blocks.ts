/**
 * The memory that the main thread shares with the hashing threads. All streams take their blocks from it, so it stays
 * bounded however many there are. None of it is left to a garbage collector: an idle thread never collects, and would
 * hold on to whatever was shared with it.
 */

/** Measured: every message between threads costs a wake-up, and blocks larger than this gain nothing. */
export const BLOCK_SIZE = 1024 * 1024;
/** Enough for two streams at full speed. */
const BLOCKS = 12;

/** Waits for a block; `supply` is called when one is free. */
export interface Taker {
  supply(): void;
}

export class SharedBlocks {
  /** The system allocates the pages only when they are first written to. */
  readonly buffer = new SharedArrayBuffer(BLOCKS * BLOCK_SIZE);
  /** The most recently used block is reused first, so that few uploads touch few pages. */
  readonly #free = Array.from({ length: BLOCKS }, (_, index) => BLOCKS - 1 - index);
  /** In order of arrival. */
  readonly #waiting = new Set<Taker>();

  take(): number | undefined {
    return this.#free.pop();
  }

  give(index: number): void {
    this.#free.push(index);
    for (const taker of this.#waiting) {
      if (this.#free.length === 0) {
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
    return new Uint8Array(this.buffer, index * BLOCK_SIZE, BLOCK_SIZE);
  }
}
