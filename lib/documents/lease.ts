/**
 * Leases: a process's right to do a piece of work until a certain time, kept in a document where all processes see it.
 * The lease of a process that dies runs out, and another process continues; on the same host it does so at once.
 *
 * A lease is a promise, not a lock: a process that slept past the end may wake up and go on for a moment. Whatever is
 * done under a lease must therefore be safe if two processes do it; the lease only saves them the wasted work. Times are
 * by the clock of the database. To survive a clock that was wrong for a while, a lease does not count if it ends later
 * than one that was made now would.
 */
import { type Clock, lasts } from '../runtime/clock.ts';
import { hasDied } from '../runtime/process-name.ts';
import { startInterval, type Timer } from '../runtime/timers.ts';

export interface Lease {
  /** The holder, by the name of its process (`process-name.ts`). */
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Milliseconds from start to end. */
  readonly length?: number;
}

/** For leases without `length`. */
const UNKNOWN_LENGTH_MS = 3600_000;

export function newLease(worker: string, seconds: number, now: number): Lease {
  const length = seconds * 1000;
  return { worker, until: now + length, length };
}

export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && isHeldBy(lease.worker, lease.until, lease.length ?? UNKNOWN_LENGTH_MS, now);
}

/**
 * The same for leases in other forms. That of a process that has died on this host ends with it.
 * @param worker undefined: an earlier version did not note it
 */
export function isHeldBy(worker: string | undefined, until: number, length: number, now: number): boolean {
  return lasts(until, length, now) && !(worker !== undefined && hasDied(worker));
}

/** The lease now belongs to another process, or its work is over. Not a failure. */
export class LeaseLostError extends Error {
  override readonly name: string = 'LeaseLostError';
}

export interface KeeperOptions {
  /** The database's clock. */
  readonly clock: Clock;
  /** Time between two renewals; well below the length of the lease. */
  readonly everyMs: number;
  /** The lease as last written. */
  readonly lease: () => Lease | undefined;
  /** Extends the lease in its document. @throws LeaseLostError when it is no longer ours */
  readonly renew: () => Promise<unknown>;
  /** Called when a renewal fails; the next one may succeed. */
  readonly onMissed: (error: unknown) => void;
}

/** Renews a lease for as long as the work under it takes, and ends the work when the lease is lost. */
export class LeaseKeeper {
  /** Aborts with a {@link LeaseLostError} if another process has the lease, or it ran out before it could be renewed. */
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

  /** Renews the lease now, or after a renewal under way; never rejects. */
  renew(): Promise<void> {
    this.#renewal = this.#renewal.then(() => this.#renew());
    return this.#renewal;
  }

  /** Stops renewing; when this resolves, no renewal is under way. The lease is left as it is. */
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
  return new LeaseLostError('the lease ran out before it could be renewed', { cause });
}
