/**
 * The access control list of a record. It is kept in six fields, so that an older IMGAPI on the same bucket, which knows
 * only `acl`, can go on reading and editing it:
 *
 * - `acl`: the UUID entries. This field is authoritative for them, since an older IMGAPI changes nothing else.
 * - `shares`: all entries in the order in which they were given, logins with the account each is pinned to. Absent while
 *   there are only UUIDs.
 * - `grants`: the accounts that login entries open the image to, indexed.
 * - `left`: accounts that ended their own access. Their login entries are still listed, as the owner typed them, but
 *   open nothing; their UUID entry is gone, because an older IMGAPI would still let them in by it. Adding the account
 *   again, by whichever name, takes it off `left`.
 * - `left_uuids`: the UUID entries that are gone for that reason, to be shown to the owner until they are added again or
 *   removed by name.
 * - `accepted`: accounts that the image is shared with and that accepted it. It opens nothing, and ends with the share.
 *
 * All functions are pure: they return a changed copy, or the record itself.
 */
import { isUuid } from '../text/uuid.ts';
import { MAX_ACL_ENTRIES } from './acl-entry.ts';
import type { ImageRecord, Share } from './record.ts';

/** The fields that make up the list; incomplete records may have them too. */
export type AclFields = Pick<ImageRecord, 'acl' | 'shares' | 'grants' | 'left' | 'left_uuids' | 'accepted'>;

/** All entries in order, merged with what an older IMGAPI changed in `acl`: its additions come last. */
export function entriesOf(record: AclFields): readonly Share[] {
  const acl = record.acl ?? [];
  if (!record.shares) return acl.map((entry) => ({ entry }));
  const current = new Set(acl);
  const kept = record.shares.filter(({ entry }) => !isUuid(entry) || current.has(entry));
  const known = new Set(kept.map(({ entry }) => entry));
  return [...kept, ...acl.filter((entry) => !known.has(entry)).map((entry) => ({ entry }))];
}

/** The entries, as typed, that no longer open anything because their account left; shown to the owner. */
export function leftEntries(record: AclFields): readonly string[] {
  const { acl = [], left = [], left_uuids = [] } = record;
  const logins = left.length === 0 ? [] : entriesOf(record).filter(({ account }) => account && left.includes(account));
  return [...logins.map(({ entry }) => entry), ...left_uuids.filter((uuid) => !acl.includes(uuid))];
}

/** The list as the owner sees it: all entries as typed, or for API versions before 3 the UUIDs among them. */
export function aclView(record: AclFields, version: 1 | 2 | 3): readonly string[] {
  if (!record.shares) return record.acl ?? [];
  const entries = entriesOf(record).map(({ entry }) => entry);
  return version === 3 ? entries : entries.filter(isUuid);
}

/** Whether an entry opens the image to the account. */
export function isGranted(record: AclFields, account: string): boolean {
  return (record.acl?.includes(account) || record.grants?.includes(account)) ?? false;
}

/** The entries that open the image to the account, as typed. */
export function entriesReaching(record: AclFields, account: string): readonly string[] {
  if (!isGranted(record, account)) return [];
  return entriesOf(record)
    .filter((share) => share.entry === account || share.account === account)
    .map(({ entry }) => entry);
}

/**
 * The record with exactly these entries; of duplicates, the first counts.
 * @param left accounts whose login entries open nothing; those that no login reaches, or that a UUID entry reaches too,
 *   are dropped
 */
export function recordWithEntries<R extends AclFields>(
  record: R,
  entries: readonly Share[],
  left: readonly string[] = record.left ?? [],
): R {
  const seen = new Set<string>();
  const shares = entries.filter(({ entry }) => !seen.has(entry) && seen.add(entry));
  const acl = shares.map(({ entry }) => entry).filter(isUuid);
  const logins = shares.filter(({ entry }) => !isUuid(entry));
  const pinned = new Set(logins.flatMap(({ account }) => account ?? []));
  const stillLeft = new Set(left.filter((account) => pinned.has(account) && !acl.includes(account)));
  const grants = [...pinned].filter((account) => !stillLeft.has(account));
  const open = new Set([...acl, ...grants]);
  const lists: Record<keyof AclFields, readonly unknown[]> = {
    acl,
    shares: logins.length > 0 ? shares : [],
    grants,
    left: [...stillLeft],
    left_uuids: (record.left_uuids ?? []).filter((uuid) => !acl.includes(uuid)).slice(-MAX_ACL_ENTRIES),
    accepted: (record.accepted ?? []).filter((account) => open.has(account)),
  };
  // An empty list is not stored, so that stores and older IMGAPIs see a record that never had one.
  const fields = Object.entries({ ...record, ...lists }).filter(
    ([field, value]) => !(field in lists) || (Array.isArray(value) && value.length > 0),
  );
  return Object.fromEntries(fields) as R;
}

/** Whether two lists open the image to the same accounts by the same entries, in whatever order. */
export function sameEntries(one: AclFields, other: AclFields): boolean {
  const [ours, theirs] = [one, other].map((record) => {
    const entries = entriesOf(record).map(({ entry, account = '' }) => `${entry} ${account}`);
    const lists = [entries, record.grants ?? [], record.left ?? [], record.left_uuids ?? []];
    return JSON.stringify(lists.map((list) => [...list].sort()));
  });
  return ours === theirs;
}

/** The logins among the names that are not listed yet; their accounts have to be looked up. */
export function newLogins(record: AclFields, names: readonly string[]): string[] {
  const known = new Set(entriesOf(record).map(({ entry }) => entry));
  return [...new Set(names)].filter((name) => !known.has(name) && !isUuid(name));
}

/**
 * Adds entries at the end. An entry that is already listed keeps its place; if it is a login, it is pinned to the account
 * that it resolves to now, or to none if nobody has that login any more.
 */
export function addEntries<R extends AclFields>(record: R, added: readonly Share[]): R {
  const renewals = new Map(added.map((share) => [share.entry, share]));
  const renewed = entriesOf(record).map((share) => renewals.get(share.entry) ?? share);
  return recordWithEntries(record, [...renewed, ...added], leftExcept(record, added));
}

/** Removes the entries that equal one of the names; a name that is not listed is no error. */
export function removeEntries<R extends AclFields>(record: R, names: readonly string[]): R {
  const removed = new Set(names);
  const left_uuids = record.left_uuids?.filter((uuid) => !removed.has(uuid));
  return recordWithEntries(
    left_uuids ? { ...record, left_uuids } : record,
    entriesOf(record).filter(({ entry }) => !removed.has(entry)),
  );
}

/**
 * Replaces the whole list, in the given order. An entry that was there keeps the account it is pinned to.
 * @param resolved the shares of {@link newLogins}
 */
export function replaceEntries<R extends AclFields>(
  record: R,
  names: readonly string[],
  resolved: readonly Share[],
): R {
  const current = new Map(entriesOf(record).map((share) => [share.entry, share]));
  const found = new Map(resolved.map((share) => [share.entry, share]));
  const entries = names.map((name) => current.get(name) ?? found.get(name) ?? { entry: name });
  const added = entries.filter(({ entry }) => !current.has(entry));
  return recordWithEntries(record, entries, leftExcept(record, added));
}

/**
 * Replaces the list as written by a client that knows only UUIDs: they replace the UUID entries, first in their places
 * and then at the end; logins stay where they are.
 */
export function replaceUuidEntries<R extends AclFields>(record: R, uuids: readonly string[]): R {
  const pending = [...new Set(uuids)];
  const current = entriesOf(record);
  const known = new Set(current.map(({ entry }) => entry));
  const added = pending.filter((uuid) => !known.has(uuid)).map((entry) => ({ entry }));
  const filled = current.flatMap((share): Share[] => {
    if (!isUuid(share.entry)) return [share];
    const entry = pending.shift();
    return entry === undefined ? [] : [{ entry }];
  });
  return recordWithEntries(record, [...filled, ...pending.map((entry) => ({ entry }))], leftExcept(record, added));
}

/** Ends an account's access at its own request, until the owner adds it again. */
export function leave<R extends AclFields>(record: R, account: string): R {
  const entries = entriesOf(record).filter(({ entry }) => entry !== account);
  const left_uuids = record.acl?.includes(account) ? [...(record.left_uuids ?? []), account] : record.left_uuids;
  return recordWithEntries(left_uuids ? { ...record, left_uuids } : record, entries, [...(record.left ?? []), account]);
}

/** The record that an account has accepted; the record itself if it has, or may not. */
export function accept<R extends AclFields>(record: R, account: string): R {
  if (!isGranted(record, account) || record.accepted?.includes(account)) return record;
  return { ...record, accepted: [...(record.accepted ?? []), account] };
}

export function hasAccepted(record: AclFields, account: string): boolean {
  return record.accepted?.includes(account) ?? false;
}

/** The entries, as typed, whose account has accepted; shown to the owner. */
export function acceptedEntries(record: AclFields): readonly string[] {
  return (record.accepted ?? []).flatMap((account) => entriesReaching(record, account));
}

/** Pins a login that nobody had when it was added. Undefined when there is no such pending entry. */
export function bindLogin<R extends AclFields>(record: R, login: string, account: string): R | undefined {
  const entries = entriesOf(record);
  const waits = (share: Share) => share.entry === login && share.account === undefined;
  if (isUuid(login) || !entries.some(waits)) return undefined;
  return recordWithEntries(
    record,
    entries.map((share) => (waits(share) ? { ...share, account } : share)),
  );
}

/** For a record that goes to a place where the logins mean other people, or nobody. */
export function withoutLogins<R extends AclFields>(record: R): R {
  return recordWithEntries(
    record,
    entriesOf(record).filter(({ entry }) => isUuid(entry)),
  );
}

/** Whether a change made the list too long. A list that an older IMGAPI let grow may still be shortened step by step. */
export function exceedsAclLimit(before: AclFields, after: AclFields): boolean {
  const { length } = entriesOf(after);
  return length > MAX_ACL_ENTRIES && length > entriesOf(before).length;
}

/** The accounts that left, except those that the owner adds again. */
function leftExcept(record: AclFields, added: readonly Share[]): readonly string[] {
  const back = new Set(added.map(({ entry, account }) => (isUuid(entry) ? entry : account)));
  return (record.left ?? []).filter((account) => !back.has(account));
}
