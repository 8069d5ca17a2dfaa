/**
 * Leases: a process's right to do a piece of work until a moment, kept in a document where all processes see it. A
 * process that dies lets its lease run out, and another one goes on.
 *
 * A lease is a promise, not a lock: a process that slept past its end may wake up and go on for a moment. Whatever is
 * done under a lease therefore has to be safe when two do it; the lease only keeps them from doing it for nothing.
 * Times are by the clock of the database. Still, what a clock that was wrong for a while has left behind must not be
 * held for ever: a lease that ends later than it could if it were made now is not believed.
 */
import { type Clock, lasts } from '../runtime/clock.ts';
import { startInterval, type Timer } from '../runtime/timers.ts';

export interface Lease {
  /** The holder, by a name that no other process has or had. */
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Milliseconds from its making to its end. */
  readonly length?: number;
}

/** Of a lease that does not say it. */
const UNKNOWN_LENGTH_MS = 3600_000;

export function newLease(worker: string, seconds: number, now: number): Lease {
  const length = seconds * 1000;
  return { worker, until: now + length, length };
}

export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lasts(lease.until, lease.length ?? UNKNOWN_LENGTH_MS, now);
}

/** What was done under a lease is not this process's any more: it is over, or another one's. Not a failure. */
export class LeaseLostError extends Error {
  override readonly name: string = 'LeaseLostError';
}

export interface KeeperOptions {
  /** The database's. */
  readonly clock: Clock;
  /** Between two renewals; well below the length of the lease. */
  readonly everyMs: number;
  /** As it was written last. */
  readonly lease: () => Lease | undefined;
  /** Extends the lease in its document. @throws LeaseLostError when it is not ours any more */
  readonly renew: () => Promise<unknown>;
  /** A renewal failed; the next one may do. */
  readonly onMissed: (error: unknown) => void;
}

/** Renews a lease for as long as the work under it takes, and ends the work when the lease is lost. */
export class LeaseKeeper {
  /** Aborts with a {@link LeaseLostError}: the lease is another process's, or ran out while it could not be renewed. */
  readonly signal: AbortSignal;
  readonly #options: KeeperOptions;
  readonly #lost = new AbortController();
  readonly #timer: Timer;
  #renewal: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.signal = this.#lost.signal;
    this.#timer = startInterval(() => void this.renew(), options.everyMs);
  }

  /** Renews it now, after a renewal that is under way; never rejects. */
  renew(): Promise<void> {
    this.#renewal = this.#renewal.then(() => this.#renew());
    return this.#renewal;
  }

  /** No renewal is under way afterwards, and none follows. The lease is left as it is. */
  async end(): Promise<void> {
    this.#timer.stop();
    await this.#renewal;
  }

  async #renew(): Promise<void> {
    if (this.signal.aborted) return;
    const { clock, lease, renew, onMissed } = this.#options;
    try {
      await renew();
    } catch (error) {
      if (error instanceof LeaseLostError) this.#lost.abort(error);
      else if ((lease()?.until ?? 0) <= clock.now()) this.#lost.abort(ranOut(error));
      onMissed(error);
    }
  }
}

function ranOut(cause: unknown): LeaseLostError {
  return new LeaseLostError('the lease ran out while it could not be renewed', { cause });
}
