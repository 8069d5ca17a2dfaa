/** Ends a stalled transfer: a signal that aborts with the caller's, or when nothing has moved for too long. */
import { startTimer } from '#lib/runtime/timers.ts';

export interface IdleGuard {
  readonly signal: AbortSignal;
  /** Call when something has moved. */
  touch(): void;
  /** Whether it was the stall that aborted. */
  hasStalled(): boolean;
  stop(): void;
}

export function idleGuard(signal: AbortSignal, idleMs: number): IdleGuard {
  const stalled = new AbortController();
  const timer = startTimer(() => stalled.abort(new Error(`nothing arrived for ${idleMs} ms`)), idleMs);
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    touch: () => timer.refresh(),
    hasStalled: () => stalled.signal.aborted,
    stop: () => timer.stop(),
  };
}
