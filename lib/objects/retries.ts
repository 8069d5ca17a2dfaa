/** Calls over the network that may be made twice: which failures are worth another attempt is for each engine to say. */
import { pause } from '../runtime/timers.ts';

export interface Retries {
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubled each time. */
  readonly firstPause: number;
  /** Milliseconds between two attempts at the most; if the store asks for more, the caller is told at once. */
  readonly longestPause: number;
}

/**
 * @param againAfter milliseconds that the store asks to wait after a failure, 0 if it does not say; undefined for one that
 *   no repetition mends
 * @throws the last failure; the signal's reason
 */
export async function retrying<T>(
  { attempts, firstPause, longestPause }: Retries,
  againAfter: (error: unknown) => number | undefined,
  call: (attempt: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      const asked = againAfter(error);
      if (attempt >= attempts || asked === undefined || asked > longestPause) throw error;
      const backoff = Math.min(firstPause * 2 ** (attempt - 1), longestPause);
      // Random, or those who were refused together come again together.
      await pause(Math.max(asked, backoff * (0.5 + Math.random() / 2)), signal);
    }
  }
}
