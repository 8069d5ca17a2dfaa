/** The database's clock, as this process can tell it without asking: by how much it is ahead of the process's own. */
import type { Clock } from '../runtime/clock.ts';
import { startInterval, type Timer } from '../runtime/timers.ts';

/** Questions to begin with, at most: each answer is as exact as its round trip was short. */
const MEASUREMENTS = 8;
const EXACT_MS = 0.2;
const EVERY_MS = 10_000;
/** By how much two good clocks may part, per millisecond. */
const DRIFT = 0.0002;
/** A clock that goes back by less stands still instead. */
const JITTER_MS = 1000;

/** How far the database's clock is ahead of `performance.now()`: within `error` of `offset`, as of `at`. */
interface Measured {
  readonly offset: number;
  readonly error: number;
  readonly at: number;
}

/** Asks the database for its time in milliseconds since the epoch. */
export type AskTime = () => Promise<number>;

export class DatabaseClock implements Clock {
  #measured: Measured | undefined;
  #last = 0;
  #timer: Timer | undefined;
  #isMeasuring = false;

  /** Does not go back, unless the database's clock was set. */
  now(): number {
    if (this.#measured === undefined) throw new Error('the clock of the database has not been read yet');
    // Databases cut off parts of milliseconds too: what is written after this is not earlier.
    const now = Math.floor(performance.now() + this.#measured.offset);
    if (now > this.#last || now < this.#last - JITTER_MS) this.#last = now;
    return this.#last;
  }

  /**
   * Reads the clock, several times if that is needed to know it well. To be called before {@link now}.
   * @throws what asking throws
   */
  async measure(ask: AskTime, most = MEASUREMENTS): Promise<void> {
    for (let times = 0; times < most; times++) {
      const before = performance.now();
      const time = await ask();
      const after = performance.now();
      this.#learn({ offset: time - (before + after) / 2, error: (after - before) / 2, at: after });
      if ((this.#measured?.error ?? EXACT_MS) < EXACT_MS) return;
    }
  }

  /** From now on measures once from time to time. What fails is tried again the next time. */
  keep(measureOnce: () => Promise<void>): void {
    this.#timer ??= startInterval(() => void this.#again(measureOnce), EVERY_MS).unref();
  }

  stop(): void {
    this.#timer?.stop();
  }

  /** A database that hangs is asked one question at a time. */
  async #again(measureOnce: () => Promise<void>): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    await measureOnce().catch(() => undefined);
    this.#isMeasuring = false;
  }

  #learn(next: Measured): void {
    const known = this.#measured && aged(this.#measured, next.at);
    const agree = known !== undefined && Math.abs(known.offset - next.offset) <= known.error + next.error;
    // If they do not agree, one of the clocks was set, or the machine slept.
    this.#measured = agree && known.error < next.error ? known : next;
  }
}

function aged({ offset, error, at }: Measured, now: number): Measured {
  return { offset, error: error + (now - at) * DRIFT, at: now };
}
