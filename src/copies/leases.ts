/**
 * Leases: a process's right to do a piece of work until a moment, kept where all processes see it. A process that
 * dies lets its lease run out, and another one goes on.
 *
 * A lease is a promise, not a lock: a process that slept past its end may wake up and go on for a moment. Whatever is
 * done under a lease therefore has to be safe when two do it; the lease only keeps them from doing it for nothing.
 * Times are those of the process that wrote them, so clocks must agree to within a lease's length.
 */
import type { Service } from '../service.ts';

export interface Lease {
  /** `Service.worker` of the holder. */
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export function newLease(service: Pick<Service, 'worker' | 'clock'>, seconds: number): Lease {
  return { worker: service.worker, until: service.clock.now() + seconds * 1000 };
}

export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lease.until > now;
}
