/** The accounts file's text, and its conversion to accounts with their keys, sub-users and roles. */
import { type JsonError, parseJsonText } from '../../text/json.ts';
import type { Account, Keys, Role } from '../accounts.ts';
import { AccountsDocumentError } from './document-error.ts';
import { type AccountEntry, placeOf, wrongWith } from './entry.ts';
import { rolesIn, type UserInFile, usersIn } from './sub-users.ts';
import { assertUnique } from './unique.ts';

export interface AccountInFile {
  readonly account: Account;
  readonly keys: Keys;
  readonly users: readonly UserInFile[];
  readonly roles: readonly Role[];
}

/**
 * Reads the whole document.
 * @throws AccountsDocumentError naming the first entry that is wrong and the key in it
 */
export function parseAccountsDocument(text: string): AccountInFile[] {
  const entries = parseArray(text).map((entry, index) => {
    const wrong = wrongWith(index, entry);
    if (wrong !== undefined) throw new AccountsDocumentError(wrong);
    return entry as AccountEntry;
  });
  assertUnique(entries, ['uuid', 'login']);
  return entries.map((entry, index) => {
    const place = placeOf(index, entry);
    const users = usersIn(place, entry);
    const keys = Object.freeze({ ...entry.keys });
    return { account: toAccount(place, entry), keys, users, roles: rolesIn(place, entry, users) };
  });
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

function toAccount(place: string, entry: AccountEntry): Account {
  const { uuid, login, email, allowed_dcs: allowedDatacenters = [] } = entry;
  const createdAt = toDate(place, entry, 'created_at');
  const updatedAt = toDate(place, entry, 'updated_at');
  return Object.freeze({
    ...{ uuid, login },
    ...(createdAt && { createdAt }),
    ...(updatedAt && { updatedAt }),
    ...(entry.disabled && { isDisabled: true as const }),
    ...(email !== undefined && { email }),
    ...(allowedDatacenters.length > 0 && { allowedDatacenters }),
  });
}

function toDate(place: string, entry: AccountEntry, key: 'created_at' | 'updated_at'): Date | undefined {
  const text = entry[key];
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new AccountsDocumentError(`${place}: ${key}: "${text}" is not a date`);
  return date;
}
