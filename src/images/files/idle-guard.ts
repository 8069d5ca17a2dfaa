/** Ends a transfer that has stalled: a signal that aborts with the caller's, or when nothing moved for too long. */
import { startTimer } from '#lib/runtime/timers.ts';

export interface IdleGuard {
  readonly signal: AbortSignal;
  /** Something moved. */
  touch(): void;
  /** Whether it was the stillness that aborted. */
  isIdle(): boolean;
  stop(): void;
}

export function idleGuard(signal: AbortSignal, idleMs: number): IdleGuard {
  const controller = new AbortController();
  let idle = false;
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const timer = startTimer(() => {
    idle = true;
    controller.abort(new Error(`nothing came for ${idleMs} ms`));
  }, idleMs);
  return {
    signal: controller.signal,
    touch: () => timer.refresh(),
    isIdle: () => idle,
    stop() {
      timer.stop();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
