/**
 * What an entry of an access control list may be: an account's UUID, or (in API version 3) its login. An entry is kept
 * and compared exactly as it was typed.
 */
import { isUuid } from '../text/uuid.ts';
import { shown } from './problem.ts';

export const MAX_ACL_ENTRIES = 1000;

/** At most 32 characters: shorter than a UUID, so that no entry can be read as both. */
const LOGIN = /^[A-Za-z][A-Za-z0-9_.@%-]{2,31}$/;

export function isLogin(value: unknown): value is string {
  return typeof value === 'string' && LOGIN.test(value);
}

export function isAclEntry(value: unknown): value is string {
  return isUuid(value) || isLogin(value);
}

/**
 * What is wrong with the entries of a request, in words; undefined when they are valid.
 * @param logins whether logins are accepted: from API version 3 on, and only where there is a directory
 */
export function aclEntriesProblem(entries: unknown, logins: boolean): string | undefined {
  const kind = logins ? 'account UUIDs or logins' : 'account UUIDs';
  if (!Array.isArray(entries)) return `must be an array of ${kind}, not ${shown(entries)}`;
  if (entries.length > MAX_ACL_ENTRIES) return `must have at most ${MAX_ACL_ENTRIES} entries, not ${entries.length}`;
  const isEntry = logins ? isAclEntry : isUuid;
  const bad = entries.findIndex((entry) => !isEntry(entry));
  if (bad < 0) return undefined;
  const hint = logins ? ' (a login has 3 to 32 characters: a letter, then letters, digits, or _ . @ % -)' : '';
  return `must be an array of ${kind}, but item ${bad} is ${shown(entries[bad])}${hint}`;
}

/** Splits entries into UUIDs and logins, each in order. */
export function splitEntries(entries: readonly string[]): { readonly uuids: string[]; readonly logins: string[] } {
  const { uuids = [], logins = [] } = Object.groupBy(entries, (entry) => (isUuid(entry) ? 'uuids' : 'logins'));
  return { uuids, logins };
}
