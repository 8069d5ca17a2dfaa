/** To go through several scans side by side, each one looks ahead. */
import type { Stored } from './store.ts';

/** Reads a scan object by object. */
export class Ahead<T extends object> {
  readonly #pieces: AsyncIterator<readonly Stored<T>[]>;
  #piece: readonly Stored<T>[] = [];
  #at = 0;

  constructor(pieces: AsyncIterable<readonly Stored<T>[]>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next object; undefined at the end. */
  async peek(): Promise<Stored<T> | undefined> {
    if (this.#at === this.#piece.length) {
      const next = await this.#pieces.next();
      this.#piece = next.done === true ? [] : next.value;
      this.#at = 0;
    }
    return this.#piece[this.#at];
  }

  take(): Stored<T> | undefined {
    const taken = this.#piece[this.#at];
    this.#at += 1;
    return taken;
  }

  takeAll(): readonly Stored<T>[] {
    const taken = this.#piece.slice(this.#at);
    this.#at = this.#piece.length;
    return taken;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
