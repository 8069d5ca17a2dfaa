/**
 * Accounts from a JSON file, for one machine without a directory service. The file may be edited while the service runs:
 * a new version is used as soon as it is seen, a broken one is only logged, and while the file is missing the directory
 * is unavailable.
 */
import { open, stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { decodeUtf8 } from '../../text/json.ts';
import {
  type Account,
  type Accounts,
  DirectoryUnavailableError,
  type Keys,
  NO_KEYS,
  type Role,
  type SubUser,
} from '../accounts.ts';
import { type AccountInFile, parseAccountsDocument } from './accounts-document.ts';

export interface AccountsFileLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface AccountsFileOptions {
  readonly path: string;
  readonly log?: AccountsFileLog;
  readonly clock?: Clock;
  /** Milliseconds between two looks at the file. Default 250. */
  readonly checkEvery?: number;
  /** Called for the keys of every account and sub-user of a new version of the file before the version is used. */
  readonly prepare?: (keys: Keys) => void;
}

/** Tells versions of the file apart, even if one is replaced by another of the same size. */
type Version = string;

interface Snapshot {
  readonly byUuid: ReadonlyMap<string, AccountInFile>;
  readonly byLogin: ReadonlyMap<string, AccountInFile>;
}

/**
 * Milliseconds. File times advance in steps of some milliseconds, so two versions written within one step look alike. A
 * version younger than this is therefore read again at the next check.
 */
const SETTLED_AFTER = 50;

/** Does not reject because of the file: while it is missing or unusable, the calls of the result reject. */
export async function openAccountsFile(options: AccountsFileOptions): Promise<Accounts> {
  const file = new AccountsFile(options);
  await file.load();
  return file;
}

class AccountsFile implements Accounts {
  readonly #path: string;
  readonly #log: AccountsFileLog | undefined;
  readonly #clock: Clock;
  readonly #checkEvery: number;
  readonly #prepare: AccountsFileOptions['prepare'];
  #snapshot: Snapshot | undefined;
  #seen: Version | undefined;
  /** Why the calls reject now. */
  #fault: DirectoryUnavailableError | undefined;
  /** The last problem that was logged, so that each is logged once. */
  #logged: string | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(options: AccountsFileOptions) {
    this.#path = options.path;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#checkEvery = options.checkEvery ?? 250;
    this.#prepare = options.prepare;
  }

  async byUuid(uuid: string): Promise<Account | undefined> {
    return (await this.#account(uuid))?.account;
  }

  async byLogin(login: string): Promise<Account | undefined> {
    return (await this.#current()).byLogin.get(login)?.account;
  }

  async byUuids(uuids: readonly string[]): Promise<Map<string, Account>> {
    const { byUuid } = await this.#current();
    const found = new Map<string, Account>();
    for (const uuid of uuids) {
      const entry = byUuid.get(uuid);
      if (entry) found.set(uuid, entry.account);
    }
    return found;
  }

  async keysOf(uuid: string, subUser?: string): Promise<Keys> {
    const entry = await this.#account(uuid);
    const holder = subUser === undefined ? entry : entry?.users.find(({ user }) => user.uuid === subUser);
    return holder?.keys ?? NO_KEYS;
  }

  async subUserByLogin(account: string, login: string): Promise<SubUser | undefined> {
    return (await this.#account(account))?.users.find(({ user }) => user.login === login)?.user;
  }

  async subUserByUuid(account: string, uuid: string): Promise<SubUser | undefined> {
    return (await this.#account(account))?.users.find(({ user }) => user.uuid === uuid)?.user;
  }

  async rolesOf(account: string): Promise<readonly Role[]> {
    return (await this.#account(account))?.roles ?? [];
  }

  async close(): Promise<void> {
    await this.#loading;
  }

  /** Looks at the file; concurrent callers share one look. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#checkedAt = this.#clock.now();
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #account(uuid: string): Promise<AccountInFile | undefined> {
    return (await this.#current()).byUuid.get(uuid);
  }

  async #current(): Promise<Snapshot> {
    // A clock that was set back must not stop the checks.
    if (Math.abs(this.#clock.now() - this.#checkedAt) >= this.#checkEvery) await this.load();
    if (this.#fault) throw this.#fault;
    if (this.#snapshot) return this.#snapshot;
    throw new DirectoryUnavailableError(`accounts file ${this.#path} has not been read`);
  }

  async #load(): Promise<void> {
    try {
      if (this.#seen !== undefined && versionOf(await stat(this.#path, { bigint: true })) === this.#seen) {
        // The file was missing and has come back unchanged.
        if (this.#snapshot && this.#fault) {
          this.#fault = undefined;
          this.#logged = undefined;
        }
        return;
      }
      const { text, version } = await readVersion(this.#path);
      this.#take(text);
      this.#seen = version;
    } catch (cause) {
      this.#fault = new DirectoryUnavailableError(`accounts file ${this.#path} cannot be read: ${reason(cause)}`, {
        cause,
      });
      this.#warnOnce(`cannot be read: ${reason(cause)}`, cause);
    }
  }

  /** A broken version leaves the last good one in use; if there is none, the directory is unavailable. */
  #take(text: string): void {
    try {
      const accounts = parseAccountsDocument(text);
      for (const { keys, users } of accounts) {
        for (const holder of [{ keys }, ...users]) this.#prepare?.(holder.keys);
      }
      this.#snapshot = {
        byUuid: new Map(accounts.map((entry) => [entry.account.uuid, entry])),
        byLogin: new Map(accounts.map((entry) => [entry.account.login, entry])),
      };
      this.#fault = undefined;
      this.#logged = undefined;
      this.#log?.info({ path: this.#path, accounts: accounts.length }, 'accounts file read');
    } catch (cause) {
      this.#fault = this.#snapshot
        ? undefined
        : new DirectoryUnavailableError(`accounts file ${this.#path}: ${reason(cause)}`, { cause });
      this.#warnOnce(`${this.#snapshot ? 'the last good version stays in use: ' : ''}${reason(cause)}`, cause);
    }
  }

  #warnOnce(trouble: string, err: unknown): void {
    if (this.#logged === trouble) return;
    this.#logged = trouble;
    this.#log?.warn({ path: this.#path, err }, `accounts file: ${trouble}`);
  }
}

interface FileTimes {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function versionOf(times: FileTimes): Version {
  return [times.dev, times.ino, times.size, times.mtimeNs, times.ctimeNs].join(':');
}

/** Reads text and version from one handle, so that they belong together even if the file is replaced meanwhile. */
async function readVersion(path: string): Promise<{ text: string; version: Version | undefined }> {
  const handle = await open(path, 'r');
  try {
    const times = await handle.stat({ bigint: true });
    const text = decodeUtf8(await handle.readFile());
    const age = Date.now() - Number(times.ctimeNs / 1_000_000n);
    return { text, version: age > SETTLED_AFTER ? versionOf(times) : undefined };
  } finally {
    await handle.close();
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
