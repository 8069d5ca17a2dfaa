/**
 * A token bucket per link that all processes share. Each takes a portion of the tokens at a time, so that only some
 * requests write to the store. What a process has taken and not used yet it may use a little later than it was due: a
 * burst of one portion for each process.
 */
import { LRUCache } from 'lru-cache';
import type { WithStore } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { LINK_RATES } from './documents.ts';
import { assertToken, BURST_SECONDS, tokensIn } from './rate-limit.ts';

export interface SharedRateLimiter {
  /** @throws 429 TooManyRequests with Retry-After */
  take(link: string): Promise<void>;
}

/** The part of a second's tokens that a process takes at a time. */
const PORTION = 0.1;
const MOST_LINKS = 1000;

interface Portion {
  left: number;
  /** By the store's clock. */
  readonly at: number;
}

/** Allows `perSecond` on average over all processes, and bursts of up to ten seconds' worth. */
export function sharedRateLimiter({ store }: WithStore, perSecond: number): SharedRateLimiter {
  const portions = new LRUCache<string, Portion>({ max: MOST_LINKS });
  const coming = new Map<string, Promise<void>>();
  const size = Math.max(1, Math.floor(perSecond * PORTION));

  async function fetchPortion(link: string): Promise<void> {
    await retryOnConflict(async () => {
      const stored = await store.get(LINK_RATES, link);
      const at = store.now();
      const tokens = tokensIn(stored?.value, perSecond, at);
      assertToken(link, tokens, perSecond);
      const left = Math.min(size, Math.floor(tokens));
      const value = { tokens: tokens - left, at, rev: (stored?.value.rev ?? 0) + 1 };
      const write = { op: 'put', bucket: LINK_RATES, key: link, value, ifEtag: stored?.etag ?? null } as const;
      // Also on a full disk: there is one small document for each link.
      await store.batch([write], { frees: true });
      portions.set(link, { left, at });
    });
  }

  return {
    async take(link) {
      for (;;) {
        const own = portions.get(link);
        if (own && own.left > 0 && Math.abs(store.now() - own.at) < BURST_SECONDS * 1000) {
          own.left -= 1;
          return;
        }
        const fetched = coming.get(link) ?? fetchPortion(link).finally(() => coming.delete(link));
        coming.set(link, fetched);
        await fetched;
      }
    },
  };
}
