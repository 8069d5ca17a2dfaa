/** What a change of a record means to those who read events. What only the service keeps for itself is none. */
import { isDeepStrictEqual } from 'node:util';
import type { EventKind } from '#lib/api/event-kinds.ts';
import { entriesOf, leftEntries } from '#lib/manifest/acl.ts';
import { MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Happening } from './event.ts';

/** Told as events of their own, or seen in other fields. */
const APART: ReadonlySet<string> = new Set(['v', 'uuid', 'acl', 'files', 'icon', 'activated', 'published_at', 'state']);
const FIELDS = MANIFEST_FIELDS.filter((field) => !APART.has(field)).map((field) =>
  // The record keeps the tags of the manifest elsewhere.
  field === 'tags' ? ({ field, key: 'tagsObj' } as const) : ({ field, key: field } as const),
);

/** In the order in which they are to be read. */
export function changesBetween(before: ImageRecord, after: ImageRecord): Happening[] {
  if (after.state === 'deleting') return before.state === 'deleting' ? [] : [{ kind: 'delete', details: {} }];
  if (before.state === 'deleting') return [{ kind: 'undelete', details: {} }];
  const isActivated = after.activated && !before.activated;
  // What activation drops, such as an error, goes without saying.
  const fields = isActivated ? [] : changedFields(before, after);
  return [
    ...uploads(before, after),
    ...(fields.length > 0 ? [{ kind: 'update', details: { fields } } as const] : []),
    ...entries('unshare', after, before),
    ...entries('share', before, after),
    ...(isActivated ? [{ kind: 'activate', details: {} } as const] : []),
  ];
}

/** An image that was not here. @param details where it comes from */
export function creation(record: ImageRecord, details: Happening['details'] = {}): Happening[] {
  return [{ kind: 'create', details }, ...entries('share', {}, record)];
}

function changedFields(before: ImageRecord, after: ImageRecord): string[] {
  const changed: string[] = FIELDS.filter(({ key }) => {
    const [one, other] = [before[key as keyof ImageRecord], after[key as keyof ImageRecord]];
    return one !== other && !isDeepStrictEqual(one, other);
  }).map(({ field }) => field);
  if (after.icon === undefined && before.icon !== undefined) changed.push('icon');
  if (sameBytes(before, after) && !isDeepStrictEqual(digests(before), digests(after))) changed.push('files');
  // The flag `disabled` is a state as well.
  if (before.state !== after.state && before.disabled === after.disabled) changed.push('state');
  return changed;
}

function sameBytes(before: ImageRecord, after: ImageRecord): boolean {
  return isDeepStrictEqual(hashes(before), hashes(after));
}

function hashes({ files = [] }: ImageRecord): string[] {
  return files.map(({ sha1 }) => sha1);
}

function digests({ files = [] }: ImageRecord): unknown[] {
  return files.map(({ digest, uncompressedDigest }) => [digest, uncompressedDigest]);
}

/** Bytes that only move to another store are the same. */
function uploads(before: ImageRecord, after: ImageRecord): Happening[] {
  const news: Happening[] = [];
  const known = hashes(before);
  const mtimes = new Set((before.files ?? []).map(({ mtime }) => mtime));
  for (const { sha1, size, mtime } of after.files ?? []) {
    if (known.includes(sha1) && mtimes.has(mtime)) continue;
    news.push({ kind: 'upload', details: { file: 'file', sha1, size } });
  }
  const { icon } = after;
  const isSame = icon?.sha1 === before.icon?.sha1 && icon?.mtime === before.icon?.mtime;
  if (icon && !isSame) news.push({ kind: 'upload', details: { file: 'icon', sha1: icon.sha1, size: icon.size } });
  return news;
}

type Acl = Parameters<typeof entriesOf>[0];

/** What is open in `after` and was not in `before`. Looked at only if the lists are others. */
function entries(kind: EventKind, before: Acl, after: Acl): Happening[] {
  const isSame = before.acl === after.acl && before.shares === after.shares && before.left === after.left;
  if (isSame) return [];
  const known = new Set(openEntries(before));
  const added = openEntries(after).filter((entry) => !known.has(entry));
  return added.length > 0 ? [{ kind, details: { entries: added } }] : [];
}

function openEntries(record: Acl): string[] {
  const left = new Set(leftEntries(record));
  return entriesOf(record)
    .map(({ entry }) => entry)
    .filter((entry) => !left.has(entry));
}
