/** What is under way, for whoever has to wait until all of it has ended. */
export class UnderWay {
  readonly #all = new Set<Promise<unknown>>();

  /** Returns the same promise: a failure is a matter of whoever waits for it. */
  add<T>(promise: Promise<T>): Promise<T> {
    const end = () => this.#all.delete(ended);
    const ended: Promise<unknown> = promise.then(end, end);
    this.#all.add(ended);
    return promise;
  }

  /** Resolves when all that is under way now has ended; never rejects. */
  async ended(): Promise<void> {
    await Promise.all(this.#all);
  }
}
