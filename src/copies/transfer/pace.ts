/**
 * Whether a transfer is fast enough to keep its place. A source that sends a byte now and then never stalls, and would
 * hold its place for ever while others wait. A transfer that stays below the least rate for a while is put back, and
 * waits longer each time.
 *
 * The time counts over all attempts of one claim, with the pauses after failures in it, so that breaking the connection
 * is no way around it; it does not count while bytes are read, hashed and placed here. Nothing at all is a stall, which
 * has a limit of its own.
 */
import { startInterval, type Timer } from '#lib/runtime/timers.ts';
import { CopyError } from '../documents/failures.ts';

export interface PaceOptions {
  /** Bytes per second that are expected by now; 0: any pace will do. */
  readonly least: () => number;
  /** The time over which the rate is measured. */
  readonly seconds: number;
  /** Called whenever enough came. */
  readonly onKept: () => void;
}

/** How often the rate is looked at in `seconds`. */
const LOOKS = 4;

export class Pace {
  readonly #options: PaceOptions;
  readonly #tooSlow = new AbortController();
  readonly #timer: Timer;
  #bytes = 0;
  /** Milliseconds that counted before `#since`. */
  #counted = 0;
  /** When it began to count; undefined while it does not. */
  #since: number | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#timer = startInterval(() => this.#look(), (options.seconds * 1000) / LOOKS);
  }

  /** Aborts with a {@link CopyError} TooSlow. */
  get signal(): AbortSignal {
    return this.#tooSlow.signal;
  }

  /** From here on bytes are expected. */
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
