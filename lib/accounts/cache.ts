/**
 * A cache over a directory for the look-up that lists make over and over: whose UUID is this? Logins that lists show
 * may lag by the time to live; whoever decides about access asks the directory itself.
 */
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
  readonly until: number;
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
  // A Map keeps the order of insertion; re-inserting what is used makes its first key the longest unused.
  const entries = new Map<string, CacheEntry>();

  function recall(uuid: string): CacheEntry | undefined {
    const entry = entries.get(uuid);
    if (entry === undefined) return undefined;
    entries.delete(uuid);
    if (entry.until <= clock.now()) return undefined;
    entries.set(uuid, entry);
    return entry;
  }

  function remember(uuid: string, account: Account | undefined): void {
    entries.delete(uuid);
    entries.set(uuid, { account, until: clock.now() + (account ? ttl : negativeTtl) });
    if (entries.size <= max) return;
    const oldest = entries.keys().next();
    if (!oldest.done) entries.delete(oldest.value);
  }

  async function byUuids(uuids: readonly string[]): Promise<Map<string, Account>> {
    const found = new Map<string, Account>();
    const missing = new Set<string>();
    for (const uuid of uuids) {
      const entry = recall(uuid);
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
