/** What may happen very often is told at once, and from then on now and then, with how often it happened. */

const PAUSE_MS = 10_000;

export class Occasional {
  readonly #tell: (fields: object) => void;
  #count = 0;
  #next = 0;

  constructor(tell: (fields: object) => void) {
    this.#tell = tell;
  }

  note(fields: object): void {
    this.#count += 1;
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + PAUSE_MS;
    this.#tell({ ...fields, times: this.#count });
    this.#count = 0;
  }
}
