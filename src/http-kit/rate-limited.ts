/** Reports what may happen very often: the first time immediately, then at most every ten seconds, with a count. */

const PAUSE_MS = 10_000;

export class RateLimited {
  readonly #report: (fields: object) => void;
  #count = 0;
  #next = 0;

  constructor(report: (fields: object) => void) {
    this.#report = report;
  }

  note(fields: object): void {
    this.#count += 1;
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + PAUSE_MS;
    this.#report({ ...fields, times: this.#count });
    this.#count = 0;
  }
}
