/**
 * The clock of the database: asked for now and then, and in between carried on by this machine's own time, which nobody
 * sets. What the way there and back took is the most by which it may be wrong.
 */
import { startInterval, type Timer } from '../../runtime/timers.ts';

const EVERY_MS = 30_000;
/** An estimate that is this old gives way to one that is less sure. */
const AGE_MS = 600_000;
const SAMPLES = 3;
/** Estimates do not differ by so much. */
const SET_MS = 1000;

interface Estimate {
  /** What is added to this machine's monotonic time. */
  readonly offset: number;
  readonly uncertainty: number;
  readonly since: number;
}

export class ServerClock {
  readonly #ask: () => Promise<number>;
  readonly #timer: Timer;
  #estimate: Estimate | undefined;
  #last = 0;

  /** @param ask for milliseconds since the epoch */
  constructor(ask: () => Promise<number>) {
    this.#ask = ask;
    this.#timer = startInterval(() => void this.#sample().catch(() => undefined), EVERY_MS).unref();
  }

  /** To be called before {@link now}. @throws what asking throws */
  async start(): Promise<void> {
    for (let i = 0; i < SAMPLES; i += 1) await this.#sample();
  }

  /** Does not go back, unless the database's clock was set. */
  now(): number {
    if (this.#estimate === undefined) throw new Error('the clock was not started');
    const now = Math.floor(performance.now() + this.#estimate.offset);
    if (now > this.#last || now < this.#last - SET_MS) this.#last = now;
    return this.#last;
  }

  stop(): void {
    this.#timer.stop();
  }

  async #sample(): Promise<void> {
    const start = performance.now();
    const time = await this.#ask();
    const end = performance.now();
    const estimate = { offset: time - (start + end) / 2, uncertainty: (end - start) / 2, since: end };
    const known = this.#estimate;
    const isApart = known && Math.abs(estimate.offset - known.offset) > estimate.uncertainty + known.uncertainty;
    if (!known || isApart || estimate.uncertainty <= known.uncertainty || end - known.since > AGE_MS) {
      this.#estimate = estimate;
    }
  }
}
