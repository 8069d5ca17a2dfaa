/**
 * The memory that this thread shares with those that hash. All streams take their blocks from it, so it is bounded
 * however many there are, and none of it is left to a garbage collector: a thread that has nothing to do never runs its
 * own, and holds whatever was shared with it.
 */

/** Measured: every message between threads costs a wake-up, and blocks above this size gain nothing more. */
export const BLOCK_SIZE = 1024 * 1024;
/** Two streams at full speed. */
const BLOCKS = 16;

/** Whoever waits for a block; told when there is one to take. */
export interface Taker {
  supply(): void;
}

export class SharedBlocks {
  /** The system gives the pages when they are written to first. */
  readonly buffer = new SharedArrayBuffer(BLOCKS * BLOCK_SIZE);
  /** What was used last is used first, so that few uploads touch few pages. */
  readonly #free = Array.from({ length: BLOCKS }, (_, index) => BLOCKS - 1 - index);
  /** In the order in which they came. */
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
