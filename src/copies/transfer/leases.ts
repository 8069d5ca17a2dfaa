/**
 * Leases: a process's right to do a piece of work until a moment, kept where all processes see it. A process that
 * dies lets its lease run out, and another one goes on.
 *
 * A lease is a promise, not a lock: a process that slept past its end may wake up and go on for a moment. Whatever is
 * done under a lease therefore has to be safe when two do it; the lease only keeps them from doing it for nothing.
 * Times are by the clock of the database. Still, what a clock that was wrong for a while has left behind must not be
 * held for ever: a lease that ends later than it could if it were made now is not believed.
 */
import { lasts } from '#lib/runtime/clock.ts';
import type { Service } from '../../service/service.ts';

export interface Lease {
  /** `Service.worker` of the holder. */
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Milliseconds from its making to its end. */
  readonly length?: number;
}

/** Of a lease that does not say it. */
const UNKNOWN_LENGTH_MS = 3600_000;

export function newLease(service: Pick<Service, 'worker' | 'storeClock'>, seconds: number): Lease {
  const length = seconds * 1000;
  return { worker: service.worker, until: service.storeClock.now() + length, length };
}

export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lasts(lease.until, lease.length ?? UNKNOWN_LENGTH_MS, now);
}
