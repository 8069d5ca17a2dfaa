/** Which failures are worth another try, and when. */
import { type Retries, retrying } from '../retries.ts';
import { MantaError, MantaSilentError } from './failure.ts';

/** Answers that may be others a moment later. A 503 is Manta's word for "no storage nodes" and "throttled". */
const STATUSES: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);
const CODES: ReadonlySet<string> = new Set(['ConcurrentRequest']);

export const RETRIES: Retries = { attempts: 5, firstPause: 200, longestPause: 10_000 };

function againAfter(error: unknown): number | undefined {
  if (error instanceof MantaSilentError) return 0;
  const isOfTheMoment = error instanceof MantaError && (STATUSES.has(error.status) || CODES.has(error.code));
  // A date, which it may be as well, counts for nothing.
  return isOfTheMoment ? (error.retryAfter || 0) * 1000 : undefined;
}

/** For calls that may be made twice. @throws the last failure; the signal's reason */
export function withRetries<T>(
  retries: Retries,
  call: (attempt: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return retrying(retries, againAfter, call, signal);
}
