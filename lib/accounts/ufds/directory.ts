/**
 * Accounts in UFDS, Triton's directory, or any other that has its schema. An account is `uuid=UUID, ou=users, o=smartdc`, and
 * its keys are right below it. So are its sub-users: all searches look at one level only.
 */
import {
  AndFilter,
  type Entry,
  EqualityFilter,
  type Filter,
  NoSuchObjectError,
  OrFilter,
  type SearchOptions,
} from 'ldapts';
import { isUuid } from '../../text/uuid.ts';
import {
  type Account,
  type Accounts,
  DirectoryUnavailableError,
  type Keys,
  type Role,
  type SubUser,
} from '../accounts.ts';
import { ConnectionLostError } from './connection.ts';
import { accountOf, KEY, keysOf, PERSON } from './entries.ts';
import type { UfdsOptions } from './options.ts';
import { Pool } from './pool.ts';
import { ROLE_OR_POLICY, rolesOf, SUB_USER, subUserOf } from './sub-users.ts';

/** UUIDs in one search: a directory may refuse a filter that is much larger. */
const CHUNK = 100;
/** Searches of one call that are under way together. */
const AT_ONCE = 4;

/**
 * What no login contains: a sub-user's entry has `ACCOUNT/LOGIN`, and the rest has a meaning to those who write filters as
 * texts, as UFDS does on its way to its database.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const NO_LOGIN = /[/*()\\\u0000-\u001f\u007f]/;
const LONGEST_LOGIN = 255;

export class UfdsDirectory implements Accounts {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #url: string;

  constructor(options: UfdsOptions) {
    this.#pool = new Pool(options);
    this.#base = options.base;
    this.#url = options.url;
  }

  async byUuid(uuid: string): Promise<Account | undefined> {
    return (await this.byUuids([uuid])).get(uuid);
  }

  /** Directories compare without regard to case and spaces, and one that is not UFDS may have two that differ in nothing. */
  async byLogin(login: string): Promise<Account | undefined> {
    if (!mayBeLogin(login)) return undefined;
    const found = (await this.#persons(equals('login', login))).filter((account) => account.login === login);
    if (found.length < 2) return found[0];
    throw new DirectoryUnavailableError(`${this.#url}: ${found.length} accounts have the login "${login}"`, {
      answered: true,
    });
  }

  async byUuids(uuids: readonly string[]): Promise<Map<string, Account>> {
    const asked = new Set(uuids.filter(isUuid));
    const chunks = chunksOf([...asked], CHUNK);
    const found = new Map<string, Account>();
    const next = async (): Promise<void> => {
      for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) {
        const persons = await this.#persons(anyOf(chunk.map((uuid) => equals('uuid', uuid))));
        for (const account of persons) if (asked.has(account.uuid)) found.set(account.uuid, account);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, chunks.length) }, next));
    return found;
  }

  async keysOf(uuid: string, subUser?: string): Promise<Keys> {
    const path = subUser === undefined ? [uuid] : [subUser, uuid];
    return keysOf(await this.#below(path, { filter: equals('objectclass', 'sdckey'), attributes: KEY }));
  }

  async subUserByLogin(account: string, login: string): Promise<SubUser | undefined> {
    if (!mayBeLogin(login)) return undefined;
    const found = await this.#subUsers(account, equals('login', `${account}/${login}`));
    return found.find((user) => user.login === login);
  }

  async subUserByUuid(account: string, uuid: string): Promise<SubUser | undefined> {
    if (!isUuid(uuid)) return undefined;
    return (await this.#subUsers(account, equals('uuid', uuid))).find((user) => user.uuid === uuid);
  }

  async rolesOf(account: string): Promise<readonly Role[]> {
    const filter = anyOf([equals('objectclass', 'sdcaccountrole'), equals('objectclass', 'sdcaccountpolicy')]);
    return rolesOf(account, await this.#below([account], { filter, attributes: ROLE_OR_POLICY }));
  }

  async close(): Promise<void> {
    this.#pool.close();
  }

  async #persons(filter: Filter): Promise<Account[]> {
    const filters = [equals('objectclass', 'sdcperson'), filter];
    const entries = await this.#search(this.#base, { filter: new AndFilter({ filters }), attributes: PERSON });
    return entries.flatMap((entry) => accountOf(entry) ?? []);
  }

  async #subUsers(account: string, filter: Filter): Promise<SubUser[]> {
    const filters = [equals('objectclass', 'sdcaccountuser'), filter];
    const entries = await this.#below([account], { filter: new AndFilter({ filters }), attributes: SUB_USER });
    return entries.flatMap((entry) => subUserOf(account, entry) ?? []);
  }

  /** What is right below an account, or one of its sub-users; nothing if it is not there. */
  async #below(uuids: readonly string[], options: SearchOptions): Promise<readonly Entry[]> {
    if (!uuids.every(isUuid)) return [];
    try {
      return await this.#search([...uuids.map((uuid) => `uuid=${uuid}`), this.#base].join(', '), options);
    } catch (error) {
      if (error instanceof DirectoryUnavailableError && error.cause instanceof NoSuchObjectError) return [];
      throw error;
    }
  }

  /** @throws DirectoryUnavailableError */
  async #search(base: string, options: SearchOptions) {
    try {
      return await this.#pool.search(base, { scope: 'one', ...options });
    } catch (cause) {
      throw this.#unavailable(cause);
    }
  }

  #unavailable(cause: unknown): DirectoryUnavailableError {
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    const isDown = cause instanceof ConnectionLostError || DOWN.has(name);
    const what = cause instanceof ConnectionLostError ? message : `${ADVICE[name] ?? 'it answers'} (${name})`;
    return new DirectoryUnavailableError(`${this.#url}: ${what}`, { cause, answered: !isDown });
  }
}

/** What a directory answers when nothing that it is asked will work. */
const DOWN: ReadonlySet<string> = new Set([
  'InvalidCredentialsError',
  'InappropriateAuthError',
  'ConfidentialityRequiredError',
  'StrongAuthRequiredError',
  'InvalidDNSyntaxError',
  'BusyError',
  'UnavailableError',
]);

const ADVICE: Readonly<Record<string, string>> = {
  InvalidCredentialsError: 'it refuses ufds.bindDN with ufds.bindPassword',
  InappropriateAuthError: 'it refuses ufds.bindDN with ufds.bindPassword',
  InvalidDNSyntaxError: 'ufds.bindDN or ufds.base is not a name of an entry',
  ConfidentialityRequiredError: 'it wants TLS: ufds.url must be ldaps://',
  NoSuchObjectError: 'there is no entry ufds.base, or ufds.bindDN may not see it',
  InsufficientAccessError: 'ufds.bindDN may not read accounts',
  SizeLimitExceededError: 'it answers too few entries at a time, and knows no pages',
};

function mayBeLogin(text: string): boolean {
  return text !== '' && text.length <= LONGEST_LOGIN && !NO_LOGIN.test(text);
}

function equals(attribute: string, value: string): Filter {
  return new EqualityFilter({ attribute, value });
}

function anyOf(filters: Filter[]): Filter {
  return new OrFilter({ filters });
}

function chunksOf<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size));
}
