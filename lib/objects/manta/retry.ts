/** Which failures are worth another try, and when. */
import { pause } from '../../runtime/timers.ts';
import { MantaError, MantaSilentError } from './failure.ts';

/** Answers that may be others a moment later. A 503 is Manta's word for "no storage nodes" and "throttled". */
const STATUSES: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);
const CODES: ReadonlySet<string> = new Set(['ConcurrentRequest']);

export interface RetryOptions {
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubled each time. */
  readonly firstPause: number;
  /** Milliseconds that Manta may ask us to wait; if it asks for more, the caller is told at once. */
  readonly longestPause: number;
}

export const RETRIES: RetryOptions = { attempts: 5, firstPause: 200, longestPause: 10_000 };

function isWorthRetrying(error: unknown): boolean {
  if (error instanceof MantaSilentError) return true;
  return error instanceof MantaError && (STATUSES.has(error.status) || CODES.has(error.code));
}

/** For calls that may be made twice. @throws the last failure; the signal's reason */
export async function withRetries<T>(
  { attempts, firstPause, longestPause }: RetryOptions,
  call: (attempt: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      const asked = error instanceof MantaError ? (error.retryAfter ?? 0) * 1000 : 0;
      if (attempt >= attempts || !isWorthRetrying(error) || asked > longestPause) throw error;
      const backoff = Math.min(firstPause * 2 ** (attempt - 1), longestPause);
      await pause(Math.max(asked, backoff * (0.5 + Math.random() / 2)), signal);
    }
  }
}
