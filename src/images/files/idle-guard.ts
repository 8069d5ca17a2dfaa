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
  const controller = new AbortController();
  let hasStalled = false;
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const timer = startTimer(() => {
    hasStalled = true;
    controller.abort(new Error(`nothing arrived for ${idleMs} ms`));
  }, idleMs);
  return {
    signal: controller.signal,
    touch: () => timer.refresh(),
    hasStalled: () => hasStalled,
    stop() {
      timer.stop();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
