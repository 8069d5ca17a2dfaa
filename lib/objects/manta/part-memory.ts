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
