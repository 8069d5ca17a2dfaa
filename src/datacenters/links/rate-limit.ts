/** A token bucket per caller and process. Those seen longest ago are forgotten, to limit memory use. */
import { LRUCache } from 'lru-cache';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Clock } from '#lib/runtime/clock.ts';

export interface RateLimiter {
  /** @throws 429 TooManyRequests with Retry-After */
  take(who: string): void;
}

const BURST_SECONDS = 10;
const MOST_CALLERS = 10_000;

/** Allows `perSecond` on average, and bursts of up to ten seconds' worth. */
export function rateLimiter(clock: Clock, perSecond: number): RateLimiter {
  const buckets = new LRUCache<string, { tokens: number; at: number }>({ max: MOST_CALLERS });
  const most = perSecond * BURST_SECONDS;
  return {
    take(who) {
      const now = clock.now();
      const bucket = buckets.get(who) ?? { tokens: most, at: now };
      const elapsed = Math.max(0, now - bucket.at) / 1000;
      const tokens = Math.min(most, bucket.tokens + elapsed * perSecond);
      if (tokens < 1) {
        buckets.set(who, { tokens, at: now });
        const wait = Math.ceil((1 - tokens) / perSecond);
        throw new ApiError(
          'TooManyRequests',
          `"${who}" sends more than ${perSecond} requests a second; wait ${wait} s`,
          {
            headers: { 'Retry-After': String(wait) },
          },
        );
      }
      buckets.set(who, { tokens: tokens - 1, at: now });
    },
  };
}
