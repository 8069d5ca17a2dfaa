/** What to do after a failure: whether to try again, from which byte, and after how long. */
import { cutText } from '#lib/text/cut-text.ts';
import type { CopiesConfig } from '../../service/config/config.ts';
import { type CopyFailure, FAILURES } from '../documents/failures.ts';
import type { Retry } from '../documents/model.ts';

/** After how many wrong files from the source the copy fails. */
const MOST_BAD_HASHES = 3;

export type Verdict =
  /** Try again after `delay` milliseconds. */
  | { readonly action: 'retry'; readonly delay: number; readonly retry: Retry; readonly failure: CopyFailure }
  /** Start again from the first byte, after `delay` milliseconds. */
  | { readonly action: 'restart'; readonly delay: number; readonly retry: Retry; readonly failure: CopyFailure }
  | { readonly action: 'give-up'; readonly failure: CopyFailure };

type RetryConfig = Pick<CopiesConfig, 'giveUpAfterSeconds' | 'retryDelay'>;

/**
 * What to do after a failure.
 * @param retry as it was when the attempt began, except for `last_byte_at` and `count`, which new bytes update
 */
export function verdictOn(
  failure: CopyFailure,
  retry: Retry,
  config: RetryConfig,
  now: number,
  random: () => number = Math.random,
): Verdict {
  const { action } = FAILURES[failure.code];
  if (action === 'permanent') return { action: 'give-up', failure };
  const badHashes = retry.bad_hashes + (action === 'restart' ? 1 : 0);
  if (badHashes >= MOST_BAD_HASHES) {
    return {
      action: 'give-up',
      failure: { code: 'HashMismatch', message: cutText(`${failure.message} (${badHashes} times)`) },
    };
  }
  if (failure.code === 'TooSlow') return verdictOnSlow(failure, retry, config, now, random);
  if (now - retry.last_byte_at >= config.giveUpAfterSeconds * 1000) {
    return gaveUp('no new byte came', `the last failure was: ${failure.message}`, config);
  }
  const count = retry.count + 1;
  const delay = backoff(count, config.retryDelay, random);
  return { action, delay, failure, retry: { ...retry, count, not_before: now + delay, bad_hashes: badHashes } };
}

/** Bytes that come too slowly are no progress: the pauses grow, and the time limit applies, as if none had come. */
function verdictOnSlow(
  failure: CopyFailure,
  retry: Retry,
  config: RetryConfig,
  now: number,
  random: () => number,
): Verdict {
  const slow = { count: (retry.slow?.count ?? 0) + 1, since: retry.slow?.since ?? now };
  if (now - slow.since >= config.giveUpAfterSeconds * 1000) {
    return gaveUp('the source was too slow', `the last failure was: ${failure.message}`, config);
  }
  const delay = backoff(slow.count, config.retryDelay, random);
  return { action: 'retry', delay, failure, retry: { ...retry, not_before: now + delay, slow } };
}

function gaveUp(what: string, last: string, { giveUpAfterSeconds }: RetryConfig): Verdict {
  const message = `${what} for ${(giveUpAfterSeconds / 3600).toFixed(1)} h; ${last}`;
  return { action: 'give-up', failure: { code: 'GaveUp', message: cutText(message) } };
}

/** Milliseconds before attempt number `count` + 1: doubles from `min` to `max`, less up to half at random. */
export function backoff(count: number, { min, max }: CopiesConfig['retryDelay'], random: () => number): number {
  const full = Math.min(max, min * 2 ** Math.min(count - 1, 30)) * 1000;
  return Math.round(full * (1 - random() / 2));
}
