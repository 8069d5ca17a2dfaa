/**
 * Timers for times of any length. The platform's own last at most 24.8 days: longer ones fire after a millisecond, and
 * a time limit that is not a whole number is an error. Times that come from a configuration or are computed must use
 * these; `test/architecture.test.ts` checks that.
 */

/** The longest delay that the platform's timers take, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

export interface Timer {
  /** Restarts the time; does nothing once the timer has stopped. */
  refresh(): void;
  stop(): void;
  /** Lets the process end even if the timer is running. Returns the timer. */
  unref(): Timer;
}

/** Runs `action` once, `milliseconds` from now. */
export function startTimer(action: () => void, milliseconds: number): Timer {
  return milliseconds <= LONGEST ? new PlainTimer(action, milliseconds) : new LongTimer(action, milliseconds, false);
}

/** Runs `action` every `milliseconds`, until it is stopped. */
export function startInterval(action: () => void, milliseconds: number): Timer {
  return new LongTimer(action, milliseconds, true);
}

/** Resolves after `milliseconds`. @throws the reason of the signal, if it aborts first */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.stop();
      reject(signal?.reason);
    };
    const timer = startTimer(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal that aborts with a TimeoutError after `milliseconds`; it does not keep the process from ending. */
export function timeLimit(milliseconds: number): AbortSignal {
  if (milliseconds <= LONGEST) return AbortSignal.timeout(Math.ceil(Math.max(0, milliseconds)));
  const controller = new AbortController();
  const reason = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  startTimer(() => controller.abort(reason), milliseconds).unref();
  return controller.signal;
}

/** Every chunk of a stream may refresh it, so it must cost next to nothing. */
class PlainTimer implements Timer {
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(action: () => void, milliseconds: number) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      action();
    }, milliseconds);
  }

  refresh(): void {
    if (!this.#isOver) this.#timer.refresh();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  unref(): Timer {
    this.#timer.unref();
    return this;
  }
}

/** Sleeps in parts, each as long as the platform allows. */
class LongTimer implements Timer {
  readonly #action: () => void;
  readonly #milliseconds: number;
  readonly #repeats: boolean;
  #timer: NodeJS.Timeout | undefined;
  #isRef = true;

  constructor(action: () => void, milliseconds: number, repeats: boolean) {
    this.#action = action;
    this.#milliseconds = milliseconds;
    this.#repeats = repeats;
    this.#begin();
  }

  refresh(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#begin();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  unref(): Timer {
    this.#isRef = false;
    this.#timer?.unref();
    return this;
  }

  #begin(): void {
    this.#sleep(this.#milliseconds);
  }

  #sleep(left: number): void {
    const part = Math.min(LONGEST, left);
    this.#timer = setTimeout(() => this.#wake(left - part), part);
    if (!this.#isRef) this.#timer.unref();
  }

  #wake(left: number): void {
    if (left > 0) {
      this.#sleep(left);
      return;
    }
    if (this.#repeats) this.#begin();
    else this.#timer = undefined;
    this.#action();
  }
}
