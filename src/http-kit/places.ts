/**
 * Places for work of one kind that lasts, such as downloads: how much of it a process does at a time, how much of that for
 * one caller, and what is left for operators when all others have taken theirs.
 */
export interface PlacesLimits {
  readonly most: number;
  /** The part of `most` that one caller may have, above 0 and at most 1; never less than one place. */
  readonly share: number;
  /** Places that only operators get; never more than a quarter of `most`. */
  readonly reserve: number;
}

export interface Claimant {
  /** Whoever has the same one shares a share; undefined: has none of its own, and may take all that is free. */
  readonly key: string | undefined;
  readonly isOperator: boolean;
}

/** Why there is no place, and how many are taken: of all, or of this caller's share. */
export interface NoPlace {
  readonly of: 'all' | 'share';
  readonly taken: number;
}

const MOST_RESERVED = 1 / 4;

export class Places {
  readonly #most: number;
  readonly #forAnybody: number;
  readonly #each: number;
  readonly #byKey = new Map<string, number>();
  #taken = 0;

  constructor({ most, share, reserve }: PlacesLimits) {
    this.#most = most;
    this.#forAnybody = most - Math.min(reserve, Math.floor(most * MOST_RESERVED));
    this.#each = Math.max(1, Math.floor(most * share));
  }

  /** Returns the function that gives the place back, to be called once. */
  take({ key, isOperator }: Claimant): (() => void) | NoPlace {
    if (this.#taken >= (isOperator ? this.#most : this.#forAnybody)) return { of: 'all', taken: this.#taken };
    const own = key === undefined ? 0 : (this.#byKey.get(key) ?? 0);
    if (own >= this.#each) return { of: 'share', taken: own };
    this.#taken += 1;
    if (key === undefined) return () => this.#leave();
    this.#byKey.set(key, own + 1);
    return () => {
      this.#leave();
      const left = (this.#byKey.get(key) ?? 1) - 1;
      if (left === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    };
  }

  #leave(): void {
    this.#taken -= 1;
  }
}
