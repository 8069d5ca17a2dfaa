/**
 * Whether a transfer is fast enough to keep its place. A source that sends a byte now and then never stalls, and could
 * hold its place for ever while others wait. A transfer that stays below the minimum rate for a while is put back, and
 * waits longer each time.
 *
 * The time is counted over all attempts of one claim, including the pauses after failures, so that a source cannot get
 * around the limit by breaking the connection. Time in which bytes are read, hashed or placed here does not count. If
 * no byte comes at all, that is a stall, which has its own limit.
 */
import { startInterval, type Timer } from '#lib/runtime/timers.ts';
import { CopyError } from '../documents/failures.ts';

export interface PaceOptions {
  /** The minimum rate at the moment, in bytes per second; 0 for none. */
  readonly least: () => number;
  /** The time over which the rate is measured. */
  readonly seconds: number;
  /** Called each time the rate was high enough. */
  readonly onKept: () => void;
}

/** How many times to check the rate within `seconds`. */
const LOOKS = 4;

export class Pace {
  readonly #options: PaceOptions;
  readonly #tooSlow = new AbortController();
  readonly #timer: Timer;
  #bytes = 0;
  /** Milliseconds counted before `#since`. */
  #counted = 0;
  /** When the clock was last started; undefined while it is paused. */
  #since: number | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#timer = startInterval(() => this.#look(), (options.seconds * 1000) / LOOKS);
  }

  /** Aborts with a {@link CopyError} TooSlow. */
  get signal(): AbortSignal {
    return this.#tooSlow.signal;
  }

  /** Starts the clock: from here on bytes are expected. */
  begin(): void {
    this.#since ??= performance.now();
  }

  pause(): void {
    this.#counted = this.#elapsed();
    this.#since = undefined;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  end(): void {
    this.#timer.stop();
  }

  #elapsed(): number {
    return this.#counted + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }

  #look(): void {
    const seconds = this.#elapsed() / 1000;
    if (this.#since === undefined || seconds < this.#options.seconds) return;
    const rate = this.#bytes / seconds;
    if (rate > 0 && rate < this.#options.least()) {
      const message = `only ${this.#bytes} bytes came in ${Math.round(seconds)} s; the transfer makes way for others`;
      this.#tooSlow.abort(new CopyError('TooSlow', message));
      return;
    }
    if (rate > 0) this.#options.onKept();
    this.#bytes = 0;
    this.#counted = 0;
    this.#since = performance.now();
  }
}
