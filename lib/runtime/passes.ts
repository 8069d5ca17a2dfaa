/**
 * Looks again and again at what waits in a store: by a timer, and whenever somebody says that something new was written.
 * Never twice at once; what comes during a pass has another one follow it.
 */
import { startInterval, type Timer } from './timers.ts';

export interface PassesOptions {
  readonly run: () => Promise<void>;
  /** Milliseconds from one pass by the timer to the next. */
  readonly everyMs: number;
  /** Called when a pass fails, but not again until one went well: while a store is down they all fail. */
  readonly onFailed: (error: unknown) => void;
}

export class Passes {
  readonly #options: PassesOptions;
  readonly #timer: Timer;
  #pass: Promise<void> | undefined;
  #again = false;
  #wasOk = true;
  #isStopped = false;

  /** The first pass begins at once. */
  constructor(options: PassesOptions) {
    this.#options = options;
    this.#timer = startInterval(() => this.nudge(), options.everyMs);
    this.nudge();
  }

  /** Starts a pass soon. */
  nudge(): void {
    if (this.#isStopped) return;
    if (this.#pass !== undefined) {
      this.#again = true;
      return;
    }
    this.#pass = this.#runSafely().finally(() => {
      this.#pass = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.nudge();
    });
  }

  /** Begins no more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer.stop();
    await this.#pass;
  }

  async #runSafely(): Promise<void> {
    const { run, onFailed } = this.#options;
    try {
      await run();
      this.#wasOk = true;
    } catch (error) {
      if (this.#wasOk) onFailed(error);
      this.#wasOk = false;
    }
  }
}
