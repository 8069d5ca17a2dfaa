/**
 * A cache over a directory for what is looked up over and over: whose UUID is this, and what are its keys? The answers may be
 * out of date by the time to live.
 */
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { within } from '../runtime/within.ts';
import { type Account, type Accounts, type Keys, NO_KEYS, type Role, type SubUser } from './accounts.ts';

export interface CachedAccounts extends Accounts {
  /**
   * The logins of those of the UUIDs that are remembered, or are found out within `patience` milliseconds. For answers to
   * which logins are an ornament: it never rejects, and while a directory hangs only its first caller waits.
   */
  loginsOf(uuids: readonly string[], patience: number): Promise<Map<string, string>>;
}

export interface AccountCacheOptions {
  /** Maximum number of accounts, and of accounts whose keys are kept; the least recently used goes first. Default 10,000. */
  readonly max?: number;
  /** Milliseconds for which an account is kept. Default 5 min. */
  readonly ttl?: number;
  /** The same for what nobody has: short, so that a new account does not stay unknown. Default 10 s. */
  readonly negativeTtl?: number;
  /**
   * Whether logins, sub-users and roles are remembered too. Not by those who give somebody access by a login: that must go to
   * whoever has it now. Default false.
   */
  readonly remembersAll?: boolean;
  readonly clock?: Clock;
  /** Is told of every look-up whether it was answered from memory. */
  readonly onLookUp?: (answer: 'hit' | 'miss') => void;
}

/** Failures are passed on and not cached. */
export function cacheAccounts(accounts: Accounts, options: AccountCacheOptions = {}): CachedAccounts {
  return new AccountCache(accounts, options);
}

interface Memories {
  readonly logins: Memory<Account>;
  readonly subUsers: Memory<SubUser>;
  readonly roles: Memory<readonly Role[]>;
}

class AccountCache implements CachedAccounts {
  readonly #accounts: Accounts;
  readonly #byUuid: Memory<Account>;
  readonly #keys: Memory<Keys>;
  readonly #all: Memories | undefined;
  /** Look-ups for ornaments that took too long and have not ended yet. */
  #overdue = 0;

  constructor(accounts: Accounts, options: AccountCacheOptions) {
    this.#accounts = accounts;
    this.#byUuid = new Memory(options);
    this.#keys = new Memory(options);
    if (options.remembersAll) {
      this.#all = { logins: new Memory(options), subUsers: new Memory(options), roles: new Memory(options) };
    }
  }

  async byUuid(uuid: string): Promise<Account | undefined> {
    return (await this.byUuids([uuid])).get(uuid);
  }

  /** What is missing is asked for in one go. */
  async byUuids(uuids: readonly string[]): Promise<Map<string, Account>> {
    const { found, missing } = this.#recall(uuids);
    if (missing.length > 0) for (const [uuid, account] of await this.#ask(missing)) found.set(uuid, account);
    return found;
  }

  async byLogin(login: string): Promise<Account | undefined> {
    return recallOr(this.#all?.logins, login, () => this.#accounts.byLogin(login));
  }

  async keysOf(uuid: string, subUser?: string): Promise<Keys> {
    const keys = await recallOr(this.#keys, [uuid, subUser].join('/'), async () => {
      const found = await this.#accounts.keysOf(uuid, subUser);
      return Object.keys(found).length > 0 ? found : undefined;
    });
    return keys ?? NO_KEYS;
  }

  async subUserByLogin(account: string, login: string): Promise<SubUser | undefined> {
    const ask = () => this.#accounts.subUserByLogin(account, login);
    return recallOr(this.#all?.subUsers, `${account}/login/${login}`, ask);
  }

  async subUserByUuid(account: string, uuid: string): Promise<SubUser | undefined> {
    const ask = () => this.#accounts.subUserByUuid(account, uuid);
    return recallOr(this.#all?.subUsers, `${account}/uuid/${uuid}`, ask);
  }

  async rolesOf(account: string): Promise<readonly Role[]> {
    const roles = await recallOr(this.#all?.roles, account, async () => {
      const found = await this.#accounts.rolesOf(account);
      return found.length > 0 ? found : undefined;
    });
    return roles ?? [];
  }

  async loginsOf(uuids: readonly string[], patience: number): Promise<Map<string, string>> {
    const { found, missing } = this.#recall(uuids);
    if (missing.length > 0 && this.#overdue === 0) {
      const asked = this.#ask(missing).catch(() => new Map<string, Account>());
      const inTime = await within(patience, asked, () => undefined);
      if (!inTime) {
        this.#overdue += 1;
        void asked.then(() => {
          this.#overdue -= 1;
        });
      }
      for (const [uuid, account] of inTime ?? []) found.set(uuid, account);
    }
    return new Map([...found].map(([uuid, { login }]) => [uuid, login]));
  }

  async close(): Promise<void> {
    await this.#accounts.close();
  }

  #recall(uuids: readonly string[]): { found: Map<string, Account>; missing: string[] } {
    const found = new Map<string, Account>();
    const missing: string[] = [];
    for (const uuid of new Set(uuids)) {
      const entry = this.#byUuid.recall(uuid);
      if (!entry) missing.push(uuid);
      else if (entry.value) found.set(uuid, entry.value);
    }
    return { found, missing };
  }

  async #ask(uuids: readonly string[]): Promise<Map<string, Account>> {
    const found = await this.#accounts.byUuids(uuids);
    for (const uuid of uuids) this.#byUuid.remember(uuid, found.get(uuid));
    return found;
  }
}

/** Answers by key, those that there is nothing among them. */
class Memory<V extends object> {
  readonly #entries: LRUCache<string, { readonly value: V | undefined }>;
  readonly #ttl: number;
  readonly #negativeTtl: number;
  readonly #onLookUp: AccountCacheOptions['onLookUp'];

  constructor({
    max = 10_000,
    ttl = 300_000,
    negativeTtl = 10_000,
    clock = systemClock,
    onLookUp,
  }: AccountCacheOptions) {
    this.#entries = new LRUCache({ max, ttl, ttlResolution: 0, perf: clock });
    this.#ttl = ttl;
    this.#negativeTtl = Math.min(ttl, negativeTtl);
    this.#onLookUp = onLookUp;
  }

  recall(key: string): { readonly value: V | undefined } | undefined {
    const entry = this.#entries.get(key);
    this.#onLookUp?.(entry ? 'hit' : 'miss');
    return entry;
  }

  remember(key: string, value: V | undefined): void {
    const ttl = value ? this.#ttl : this.#negativeTtl;
    // Shortened by half a millisecond: lru-cache would keep an entry for one millisecond too long.
    if (ttl > 0) this.#entries.set(key, { value }, { ttl: ttl - 0.5 });
  }
}

/** @param memory absent: asks always */
async function recallOr<V extends object>(
  memory: Memory<V> | undefined,
  key: string,
  ask: () => Promise<V | undefined>,
): Promise<V | undefined> {
  const entry = memory?.recall(key);
  if (entry) return entry.value;
  const value = await ask();
  memory?.remember(key, value);
  return value;
}
