/**
 * A cache over a directory for the look-up that lists make over and over: whose UUID is this? Logins that lists show
 * may lag by the time to live; whoever decides about access asks the directory itself.
 */
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Account, Accounts } from './accounts.ts';

export interface AccountCacheOptions {
  /** Accounts at the most; the longest unused goes first. Default 10,000. */
  readonly max?: number;
  /** Milliseconds for which an account is not asked for again. Default 5 min. */
  readonly ttl?: number;
  /** The same for a UUID that nobody has: short, since a new account must not stay nameless. Default 10 s. */
  readonly negativeTtl?: number;
  readonly clock?: Clock;
}

interface CacheEntry {
  readonly account: Account | undefined;
}

/**
 * Answers `byUuid` and `byUuids` from memory, asking `accounts` once for all that is missing. `byLogin` always asks: a
 * share by login must go to the one who holds it now. A failure is passed on and not remembered.
 */
export function cacheAccounts(accounts: Accounts, options: AccountCacheOptions = {}): Accounts {
  const max = options.max ?? 10_000;
  const ttl = options.ttl ?? 300_000;
  const negativeTtl = options.negativeTtl ?? 10_000;
  const clock = options.clock ?? systemClock;
  // A moment less than each time to live: lru-cache would keep an entry for one millisecond after it.
  const entries = new LRUCache<string, CacheEntry>({ max, ttl, ttlResolution: 0, perf: clock });

  function remember(uuid: string, account: Account | undefined): void {
    entries.set(uuid, { account }, { ttl: (account ? ttl : negativeTtl) - 0.5 });
  }

  async function byUuids(uuids: readonly string[]): Promise<Map<string, Account>> {
    const found = new Map<string, Account>();
    const missing = new Set<string>();
    for (const uuid of uuids) {
      const entry = entries.get(uuid);
      if (entry === undefined) missing.add(uuid);
      else if (entry.account) found.set(uuid, entry.account);
    }
    if (missing.size === 0) return found;
    const asked = await accounts.byUuids([...missing]);
    for (const uuid of missing) {
      const account = asked.get(uuid);
      remember(uuid, account);
      if (account) found.set(uuid, account);
    }
    return found;
  }

  return {
    byUuids,
    byUuid: async (uuid) => (await byUuids([uuid])).get(uuid),
    byLogin: (login) => accounts.byLogin(login),
    close: () => accounts.close(),
  };
}
