/** Milliseconds after which an operation that is still under way counts for nothing, as one whose connection is lost. */
const LOST_AFTER = 10_000;

export interface UnderWay<T> {
  readonly since: number;
  readonly promise: Promise<T>;
}

/** An operation that whoever asks for it shares, while it is under way: what hangs is not begun again by each. */
export class Joined<T> {
  readonly #operation: () => Promise<T>;
  #underWay: UnderWay<T> | undefined;

  constructor(operation: () => Promise<T>) {
    this.#operation = operation;
  }

  /** @param lostAfter infinite for an operation that holds something until it ends */
  run(now = performance.now(), lostAfter = LOST_AFTER): UnderWay<T> {
    if (this.#underWay && now - this.#underWay.since < lostAfter) return this.#underWay;
    const begun: UnderWay<T> = { since: now, promise: this.#operation() };
    const end = (): void => {
      if (this.#underWay === begun) this.#underWay = undefined;
    };
    begun.promise.then(end, end);
    this.#underWay = begun;
    return begun;
  }
}
