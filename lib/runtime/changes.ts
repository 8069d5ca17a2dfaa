import { heeding } from './heeding.ts';

/** Tells all who wait for a change that it is time to look again. */
export class Changes {
  #next = Promise.withResolvers<void>();

  announce(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Resolves with the next one. @throws the signal's reason */
  next(signal: AbortSignal): Promise<void> {
    return heeding(this.#next.promise, signal);
  }
}
