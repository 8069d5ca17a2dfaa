/**
 * A cache over a directory for the lookup that lists make over and over: whose UUID is this? The logins that lists show
 * may be out of date by the time to live; decisions about access must ask the directory itself.
 */
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Account, Accounts } from './accounts.ts';

export interface AccountCacheOptions {
  /** Maximum number of accounts; the least recently used goes first. Default 10,000. */
  readonly max?: number;
  /** Milliseconds for which an account is kept. Default 5 min. */
  readonly ttl?: number;
  /** The same for a UUID without an account: short, so that a new account does not stay nameless. Default 10 s. */
  readonly negativeTtl?: number;
  readonly clock?: Clock;
}

interface CacheEntry {
  readonly account: Account | undefined;
}

/**
 * Answers `byUuid` and `byUuids` from memory, and asks `accounts` once for everything that is missing. All others always
 * ask: a share by login must go to whoever has it now, and what a sub-user may do is decided by its roles as they are.
 * Failures are passed on and not cached.
 */
export function cacheAccounts(accounts: Accounts, options: AccountCacheOptions = {}): Accounts {
  const max = options.max ?? 10_000;
  const ttl = options.ttl ?? 300_000;
  const negativeTtl = options.negativeTtl ?? 10_000;
  const clock = options.clock ?? systemClock;
  // Each TTL is shortened by half a millisecond: lru-cache would keep an entry for one millisecond too long.
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
    keysOf: (uuid, subUser) => accounts.keysOf(uuid, subUser),
    subUserByLogin: (account, login) => accounts.subUserByLogin(account, login),
    subUserByUuid: (account, uuid) => accounts.subUserByUuid(account, uuid),
    rolesOf: (account) => accounts.rolesOf(account),
    close: () => accounts.close(),
  };
}
