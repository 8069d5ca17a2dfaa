/** Ends a stalled transfer: a signal that aborts with the caller's, or when no bytes have come for too long. */
import { Readable } from 'node:stream';
import { startTimer, type Timer } from '#lib/runtime/timers.ts';

export interface IdleGuard {
  readonly signal: AbortSignal;
  /**
   * The bytes of a source, which stays open. Time counts only while they are waited for: a store may be slow to take what
   * came, or many may wait for it, which is no fault of whoever sends.
   */
  watch(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void>;
  /** Whether it was the stall that aborted. */
  hasStalled(): boolean;
  stop(): void;
}

/** Time counts from now on. */
export function idleGuard(signal: AbortSignal, idleMs: number): IdleGuard {
  const stalled = new AbortController();
  let isWaiting = true;
  let isDue = false;
  const start = (): Timer =>
    startTimer(() => {
      if (isWaiting) stalled.abort(new Error(`nothing arrived for ${idleMs} ms`));
      else isDue = true;
    }, idleMs);
  let timer = start();
  const wait = (): void => {
    isWaiting = true;
    if (isDue) timer = start();
    else timer.refresh();
    isDue = false;
  };
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    async *watch(source) {
      const bytes = source instanceof Readable ? source.iterator({ destroyOnReturn: false }) : source;
      wait();
      for await (const piece of bytes) {
        isWaiting = false;
        yield piece;
        wait();
      }
      isWaiting = false;
    },
    hasStalled: () => stalled.signal.aborted,
    stop: () => timer.stop(),
  };
}
