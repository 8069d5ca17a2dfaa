/**
 * Leases: a process's right to do a piece of work until a moment, kept where all processes see it. A process that
 * dies lets its lease run out, and another one goes on.
 *
 * A lease is a promise, not a lock: a process that slept past its end may wake up and go on for a moment. Whatever is
 * done under a lease therefore has to be safe when two do it; the lease only keeps them from doing it for nothing.
 * Times are those of the process that wrote them, so clocks must agree to within a lease's length.
 */
import { EtagConflictError } from '#lib/moray/errors.ts';
import type { Bucket } from '#lib/moray/store.ts';
import type { Service } from '../service.ts';

export interface Lease {
  /** `Service.worker` of the holder. */
  readonly worker: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

interface LeaseRecord extends Lease {
  /** Counts the writes of this record. */
  readonly rev: number;
}

export const LEASES: Bucket<LeaseRecord> = { name: 'imgapi_leases', version: 1, index: {} };

/** Renewed when a third of it is over, so that one failed renewal does not lose it. */
const RENEWALS = 3;

export function newLease(service: Service, seconds: number): Lease {
  return { worker: service.worker, until: service.clock.now() + seconds * 1000 };
}

export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lease.until > now;
}

/**
 * Runs `work` unless another process holds the lease of that name; answers undefined then. The signal aborts when the
 * lease is lost, or when the caller's does.
 */
export async function withLease<T>(
  service: Service,
  name: string,
  seconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  if (!(await take(service, name, seconds))) return undefined;
  const lost = new AbortController();
  const renewal = setInterval(
    () => {
      take(service, name, seconds).then(
        (held) => {
          if (!held) lost.abort(new Error(`another process took the lease "${name}"`));
        },
        (error: unknown) => service.log.warn({ err: error, lease: name }, 'lease not renewed'),
      );
    },
    (seconds * 1000) / RENEWALS,
  );
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(renewal);
    await release(service, name).catch((error: unknown) =>
      service.log.warn({ err: error, lease: name }, 'lease left to run out'),
    );
  }
}

/** Takes or extends the lease. False when another process holds it. */
async function take(service: Service, name: string, seconds: number): Promise<boolean> {
  const stored = await service.store.get(LEASES, name);
  const { worker } = service;
  if (stored && stored.value.worker !== worker && isHeld(stored.value, service.clock.now())) return false;
  return put(service, name, newLease(service, seconds), stored);
}

async function release(service: Service, name: string): Promise<void> {
  const stored = await service.store.get(LEASES, name);
  if (stored?.value.worker === service.worker) await put(service, name, { worker: service.worker, until: 0 }, stored);
}

async function put(
  service: Service,
  name: string,
  lease: Lease,
  stored: { readonly value: LeaseRecord; readonly etag: string } | undefined,
): Promise<boolean> {
  const value: LeaseRecord = { ...lease, rev: (stored?.value.rev ?? 0) + 1 };
  try {
    await service.store.batch([{ op: 'put', bucket: LEASES, key: name, value, ifEtag: stored?.etag ?? null }]);
    return true;
  } catch (error) {
    if (error instanceof EtagConflictError) return false;
    throw error;
  }
}
