/**
 * An attempt while this process works on it: its heartbeat, its progress, and the signal that ends it.
 *
 * The heartbeat extends the lease and records the progress for other processes to see. It also reads how much of the
 * link's bandwidth this transfer may use. The signal aborts if another worker has taken the transfer over, or if the
 * lease has run out because the store could not be reached.
 */
import { LeaseKeeper } from '#lib/documents/lease.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import type { CopyFailure } from '../documents/failures.ts';
import type { Retry, Transfer } from '../documents/model.ts';
import { type Advance, advanced, heartbeat } from './attempt.ts';
import { fairShare, Throttle } from './bandwidth.ts';
import type { CountBytes } from './copy-metrics.ts';
import type { Pace } from './pace.ts';

/** The weight of the latest measurement against the earlier ones, from 0 to 1. */
const RATE_WEIGHT = 0.3;

export interface AttemptOptions {
  readonly pace: Pace;
  /** Aborts when the worker stops. */
  readonly stop: AbortSignal;
  readonly countBytes: CountBytes;
}

export class LiveAttempt {
  readonly throttle = new Throttle();
  /** Aborts with a `LeaseLostError`, or with the reason for which the worker is stopped. */
  readonly signal: AbortSignal;
  readonly pace: Pace;
  readonly countBytes: CountBytes;
  /** Whether {@link throttle} has its rate: the first heartbeat sets it. */
  isShareKnown = false;
  readonly #service: Service;
  readonly #keeper: LeaseKeeper;
  #own: Transfer;
  #pending: Advance = {};
  #measured: { readonly at: number; readonly bytes: number };

  constructor(service: Service, own: Transfer, { pace, stop, countBytes }: AttemptOptions) {
    this.pace = pace;
    this.countBytes = countBytes;
    this.#service = service;
    this.#own = own;
    this.#measured = { at: performance.now(), bytes: own.bytes };
    this.#keeper = new LeaseKeeper({
      clock: service.store,
      everyMs: service.config.copies.heartbeatSeconds * 1000,
      lease: () => this.#own.lease,
      renew: () => this.#beat(),
      onMissed: (error) => service.log.info({ err: error, image: own.image }, 'a heartbeat of the transfer failed'),
    });
    this.signal = AbortSignal.any([stop, this.#keeper.signal]);
  }

  /** The transfer as this attempt knows it. */
  get own(): Transfer {
    return advanced(this.#own, this.#pending);
  }

  /** Keeps the changes for the next heartbeat to write. */
  note(advance: Advance): void {
    this.#pending = { ...this.#pending, ...advance };
  }

  /** How many connections one transfer may use. */
  get connections(): number {
    return this.#service.config.copies.connections;
  }

  /** Records the number of bytes received so far. @param solid how many of them are there without a gap, if there are gaps */
  reached(bytes: number, solid?: number): void {
    const { untold: _untold, ...retry } = this.own.retry;
    if (solid !== undefined) this.note({ solid });
    if (bytes <= retry.peak) this.note({ bytes });
    else this.note({ bytes, retry: { ...retry, count: 0, peak: bytes, last_byte_at: this.#service.store.now() } });
  }

  /** Bytes come: what failed before does so no more, unless it was that they come too slowly. */
  flowing(): void {
    if (this.#error && this.#error.code !== 'TooSlow') this.note({ error: null });
  }

  /** The transfer has been fast enough for a while, so its slow times no longer count. */
  keptPace(): void {
    const { slow, ...retry } = this.own.retry;
    if (slow) this.note({ retry });
    if (this.#error?.code === 'TooSlow') this.note({ error: null });
  }

  get #error(): CopyFailure | null | undefined {
    const { error = this.#own.error } = this.#pending;
    return error;
  }

  /** A time limit for short answers, so that a source that sends one very slowly cannot keep the place. */
  patience(signal: AbortSignal): AbortSignal {
    const { stallSeconds } = this.#service.config.copies;
    return AbortSignal.any([signal, timeLimit(stallSeconds * 1000)]);
  }

  /** The retry state, including the effect of bytes not yet written down. */
  get retry(): Retry {
    return this.own.retry;
  }

  /** Sends one heartbeat. Never rejects: a lost lease aborts {@link signal}. */
  beat(): Promise<void> {
    return this.#keeper.renew();
  }

  /** Stops the heartbeats; resolves when the last one is done. */
  end(): Promise<void> {
    return this.#keeper.end();
  }

  async #beat(): Promise<void> {
    const advance = { ...this.#pending, rate: this.#rate() };
    this.#pending = {};
    try {
      this.#own = await heartbeat(this.#service, this.#own, advance);
      this.throttle.rate = await fairShare(this.#service, this.#own);
      this.isShareKnown = true;
    } catch (error) {
      this.#pending = { ...advance, ...this.#pending };
      throw error;
    }
  }

  #rate(): number {
    const now = { at: performance.now(), bytes: this.own.bytes };
    const seconds = Math.max(0.001, (now.at - this.#measured.at) / 1000);
    const latest = Math.max(0, now.bytes - this.#measured.bytes) / seconds;
    this.#measured = now;
    const before = this.#own.rate;
    return Math.round(before === undefined ? latest : before + (latest - before) * RATE_WEIGHT);
  }
}
