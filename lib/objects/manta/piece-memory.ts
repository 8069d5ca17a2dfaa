/** Bytes. */
export const PIECE = 8 * 1024 * 1024;

/**
 * Memory for the pieces of all sessions together, so that many uploads at once cannot take more than so much. Who waits
 * for some makes the others stage what they have, however little: a slow source must not keep memory from the rest.
 */
export class PieceMemory {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most pieces in memory */
  constructor(most = 12) {
    this.#free = most;
  }

  get isShort(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits for the memory of one piece. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

/** Memory for the parts of multipart uploads, which cannot be sent before they are full. Whoever gets none does without. */
export class PartMemory {
  #free: number;

  /** @param bytes of all parts together */
  constructor(bytes = 128 * 1024 * 1024) {
    this.#free = bytes;
  }

  tryTake(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}
