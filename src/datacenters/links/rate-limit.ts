/**
 * A token bucket per caller. Each process has its own: it keeps strangers from wearing this process out. Those seen
 * longest ago are forgotten, to limit memory use.
 */
import { LRUCache } from 'lru-cache';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Clock } from '#lib/runtime/clock.ts';

export interface RateLimiter {
  /** @throws 429 TooManyRequests with Retry-After */
  take(who: string): void;
}

/** What is left in a bucket, and when that was so, in milliseconds since the epoch. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

export const BURST_SECONDS = 10;
const MOST_CALLERS = 10_000;

/** Allows `perSecond` on average, and bursts of up to ten seconds' worth. */
export function rateLimiter(clock: Clock, perSecond: number): RateLimiter {
  const buckets = new LRUCache<string, Bucket>({ max: MOST_CALLERS });
  return {
    take(who) {
      const at = clock.now();
      const tokens = tokensIn(buckets.get(who), perSecond, at);
      buckets.set(who, { tokens: tokens < 1 ? tokens : tokens - 1, at });
      assertToken(who, tokens, perSecond);
    },
  };
}

/** How many tokens there are by now. @param bucket undefined: a full one */
export function tokensIn(bucket: Bucket | undefined, perSecond: number, now: number): number {
  const most = perSecond * BURST_SECONDS;
  // A time far ahead was written when the clock was wrong.
  if (!bucket || bucket.at > now + BURST_SECONDS * 1000) return most;
  const elapsed = Math.max(0, now - bucket.at) / 1000;
  return Math.min(most, bucket.tokens + elapsed * perSecond);
}

/** @throws 429 TooManyRequests with Retry-After unless there is a whole one */
export function assertToken(who: string, tokens: number, perSecond: number): void {
  if (tokens >= 1) return;
  const wait = Math.ceil((1 - tokens) / perSecond);
  throw new ApiError('TooManyRequests', `"${who}" sends more than ${perSecond} requests a second; wait ${wait} s`, {
    headers: { 'Retry-After': String(wait) },
  });
}
