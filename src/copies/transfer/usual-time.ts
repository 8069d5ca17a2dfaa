/** How long something may take beside what it took so far. */

export interface UsualTimeOptions {
  /** How many times longer than on average. */
  readonly times: number;
  /** The least time for it, in milliseconds. */
  readonly least: number;
  /** That before anything was brought. */
  readonly first: number;
}

export class UsualTime {
  readonly #options: UsualTimeOptions;
  #ms = 0;
  #count = 0;

  constructor(options: UsualTimeOptions) {
    this.#options = options;
  }

  /** It was done, in so many milliseconds. */
  took(ms: number): void {
    this.#ms += ms;
    this.#count += 1;
  }

  /** Milliseconds. */
  get most(): number {
    const { times, least, first } = this.#options;
    return Math.max(least, this.#count === 0 ? first : (this.#ms / this.#count) * times);
  }
}
