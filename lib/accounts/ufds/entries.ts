/** What UFDS's entries say. Directories differ in how they write the names of attributes; UFDS has them in lower case. */
import type { Entry } from 'ldapts';
import { isUuid } from '../../text/uuid.ts';
import type { Account, Keys } from '../accounts.ts';

/**
 * Attributes of `sdcPerson`, in lower case as UFDS wants them. UFDS writes the times of an account itself; a directory whose schema allows no underscores in
 * names has its own, which every entry has.
 */
export const PERSON = [
  ...['uuid', 'login', 'email', 'disabled', 'allowed_dcs'],
  ...['created_at', 'updated_at', 'createtimestamp', 'modifytimestamp'],
];

/** Attributes of `sdcKey`. */
export const KEY = ['name', 'openssh', 'fingerprint'];

/** Undefined if it has no UUID or no login. */
export function accountOf(entry: Entry): Account | undefined {
  const [uuid] = valuesOf(entry, 'uuid');
  const [login] = valuesOf(entry, 'login');
  if (!isUuid(uuid) || login === undefined) return undefined;
  const createdAt = timeOf(entry, 'created_at', 'createtimestamp');
  const updatedAt = timeOf(entry, 'updated_at', 'modifytimestamp');
  const [email] = valuesOf(entry, 'email');
  const allowedDatacenters = valuesOf(entry, 'allowed_dcs');
  return Object.freeze({
    ...{ uuid, login },
    ...(createdAt && { createdAt }),
    ...(updatedAt && { updatedAt }),
    ...(isDisabled(entry) && { isDisabled: true as const }),
    ...(email !== undefined && { email }),
    ...(allowedDatacenters.length > 0 && { allowedDatacenters }),
  });
}

export function isDisabled(entry: Entry): boolean {
  return valuesOf(entry, 'disabled').some((value) => value.toLowerCase() === 'true');
}

/** Of keys with the same name, which only a directory that does not check them has, the later go by their fingerprint. */
export function keysOf(entries: readonly Entry[]): Keys {
  const keys = new Map<string, string>();
  for (const entry of entries) {
    const [openssh] = valuesOf(entry, 'openssh');
    const [fingerprint = ''] = valuesOf(entry, 'fingerprint');
    const [name = fingerprint] = valuesOf(entry, 'name');
    if (openssh !== undefined) keys.set(keys.has(name) ? fingerprint : name, openssh);
  }
  return Object.freeze(Object.fromEntries(keys));
}

export function valuesOf(entry: Entry, attribute: string): string[] {
  const wanted = attribute.toLowerCase();
  const name = Object.keys(entry).find((key) => key.toLowerCase() === wanted);
  const value = name === undefined ? [] : entry[name];
  return [value ?? []].flat().map(String);
}

function timeOf(entry: Entry, ...attributes: readonly string[]): Date | undefined {
  const [text] = attributes.flatMap((attribute) => valuesOf(entry, attribute));
  return text === undefined ? undefined : parseTime(text);
}

/** So that a share is never bound to an account of which nobody can tell whether it was there before. */
const UNKNOWN = new Date('9999-12-31T23:59:59.999Z');

const MILLISECONDS = /^\d{1,15}$/;
const GENERALIZED = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,](\d{1,3})\d*)?Z$/;

/** Milliseconds since the epoch, as UFDS writes them, an ISO date, or LDAP's generalized time. */
function parseTime(text: string): Date {
  const time = new Date(MILLISECONDS.test(text) ? Number(text) : isoOf(text));
  return Number.isNaN(time.getTime()) ? UNKNOWN : time;
}

function isoOf(text: string): string {
  return text.replace(
    GENERALIZED,
    (_all, year, month, day, hour, minute, second, fraction = '0') =>
      `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}Z`,
  );
}
