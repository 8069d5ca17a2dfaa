/** The JSON form of the accounts file, and its conversion to {@link Account}s with their keys. */

import { Ajv, type ErrorObject } from 'ajv';
import { type JsonError, parseJsonText } from '../../text/json.ts';
import { UUID_PATTERN } from '../../text/uuid.ts';
import type { Account, Keys } from '../accounts.ts';

export interface AccountWithKeys {
  readonly account: Account;
  readonly keys: Keys;
}

/** As written in the file. */
export interface AccountEntry {
  readonly uuid: string;
  readonly login: string;
  /** ISO date. */
  readonly created_at?: string;
  /** ISO date. */
  readonly updated_at?: string;
  /** OpenSSH public keys by name. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** What is wrong with an accounts file; the message names the entry and the key. */
class AccountsDocumentError extends Error {
  override readonly name = 'AccountsDocumentError';
}

const DATE = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$';

/** A login as UFDS allows it: 3 to 32 characters, starting with a letter. */
const LOGIN = '^[a-zA-Z][a-zA-Z0-9_.@%-]{2,31}$';

const SSH_KEY =
  '^(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+={0,2}( [^\\r\\n]*)?$';

const ENTRY_SCHEMA = {
  type: 'object',
  required: ['uuid', 'login'],
  additionalProperties: false,
  properties: {
    uuid: { type: 'string', pattern: UUID_PATTERN },
    login: { type: 'string', pattern: LOGIN },
    created_at: { type: 'string', pattern: DATE },
    updated_at: { type: 'string', pattern: DATE },
    keys: { type: 'object', additionalProperties: { type: 'string', pattern: SSH_KEY } },
  },
};

const EXPECTED: Readonly<Record<string, string>> = {
  uuid: 'a lower-case UUID',
  login: '3 to 32 characters: letters, digits and _ . @ % -, starting with a letter',
  created_at: 'an ISO date such as 2026-01-31T12:00:00Z',
  updated_at: 'an ISO date such as 2026-01-31T12:00:00Z',
  keys: 'an object of OpenSSH public keys by name',
};

const isEntry = new Ajv({ allErrors: false }).compile<AccountEntry>(ENTRY_SCHEMA);

/**
 * Reads the whole document.
 * @throws AccountsDocumentError naming the first entry that is wrong and the key in it
 */
export function parseAccountsDocument(text: string): AccountWithKeys[] {
  const entries = parseArray(text);
  const accounts: AccountWithKeys[] = [];
  const places = { uuid: new Map<string, number>(), login: new Map<string, number>() };
  for (const [index, entry] of entries.entries()) {
    if (!isEntry(entry)) throw new AccountsDocumentError(describe(index, entry, isEntry.errors?.[0]));
    for (const key of ['uuid', 'login'] as const) {
      const earlier = places[key].get(entry[key]);
      if (earlier !== undefined) {
        throw new AccountsDocumentError(
          `${nameOf(index, entry)}: ${key}: "${entry[key]}" is already used in entry ${earlier}`,
        );
      }
      places[key].set(entry[key], index);
    }
    accounts.push(toAccount(index, entry));
  }
  return accounts;
}

function parseArray(text: string): unknown[] {
  let document: unknown;
  try {
    document = parseJsonText(text);
  } catch (cause) {
    throw new AccountsDocumentError(`it is ${(cause as JsonError).message}`, { cause });
  }
  if (!Array.isArray(document)) throw new AccountsDocumentError('it must be a JSON array of accounts');
  return document;
}

function toAccount(index: number, entry: AccountEntry): AccountWithKeys {
  const createdAt = toDate(index, entry, 'created_at');
  const updatedAt = toDate(index, entry, 'updated_at');
  const { uuid, login } = entry;
  const account = Object.freeze({ uuid, login, ...(createdAt && { createdAt }), ...(updatedAt && { updatedAt }) });
  return { account, keys: Object.freeze({ ...entry.keys }) };
}

function toDate(index: number, entry: AccountEntry, key: 'created_at' | 'updated_at'): Date | undefined {
  const text = entry[key];
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    throw new AccountsDocumentError(`${nameOf(index, entry)}: ${key}: "${text}" is not a date`);
  }
  return date;
}

function nameOf(index: number, entry: unknown): string {
  const login = (entry as { login?: unknown } | null)?.login;
  return typeof login === 'string' ? `entry ${index} ("${login}")` : `entry ${index}`;
}

function describe(index: number, entry: unknown, error: ErrorObject | undefined): string {
  const place = nameOf(index, entry);
  if (error === undefined) return `${place} is invalid`;
  if (error.keyword === 'required') return `${place}: ${error.params['missingProperty']} is missing`;
  if (error.keyword === 'additionalProperties') {
    return `${place}: "${error.params['additionalProperty']}" is not a key of an account`;
  }
  const [key, keyName] = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (key === undefined) return `${place} must be an object`;
  if (keyName !== undefined) return `${place}: keys: "${keyName}" must be an OpenSSH public key`;
  return `${place}: ${key} must be ${EXPECTED[key]}`;
}
