import { heeding } from './heeding.ts';

/** Does work one after the other, in the order in which it came: for what needs much memory, or all of a disk. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws the signal's reason, as soon as it aborts; work that has not begun then is not done */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#last.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return heeding(turn, signal);
  }
}
