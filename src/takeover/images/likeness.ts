/** Whether two records are the same image: by what a reader of its manifest sees, wherever its bytes are. */
import { hash } from 'node:crypto';
import { MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Both follow from others. */
const DERIVED: ReadonlySet<string> = new Set(['tags', 'state']);

/** The same for records that are alike; short enough to be kept for each. */
export function likenessOf(record: ImageRecord): string {
  return hash('sha256', JSON.stringify(seen(record)));
}

/** The fields in which they differ. */
export function differences(a: ImageRecord, b: ImageRecord): string[] {
  const [one, other] = [seen(a), seen(b)];
  const fields = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...fields].filter((field) => JSON.stringify(one[field]) !== JSON.stringify(other[field]));
}

/** Of which the bytes are the same, whatever else the records say. */
export function haveSameFiles({ files: a = [] }: ImageRecord, { files: b = [] }: ImageRecord): boolean {
  return a.length === b.length && a.every(({ sha1, size }, i) => sha1 === b[i]?.sha1 && size === b[i]?.size);
}

/** Without what the image has of bytes. */
export function withoutObjects({ files: _files, icon: _icon, ...record }: ImageRecord): ImageRecord {
  return record;
}

function seen(record: ImageRecord): Fields {
  const { files = [], icon, tagsObj, state } = record;
  const shown: Fields = {
    ...Object.fromEntries(MANIFEST_FIELDS.map((field) => [field, (record as unknown as Fields)[field]])),
    tagsObj,
    shares: record.shares,
    // Of an image under way it does not follow from the flags.
    ...((state === 'creating' || state === 'failed') && !record.activated && { underWay: state }),
    files: files.map(({ sha1, size, compression, dataset_guid }: FileRecord) => ({
      sha1,
      size,
      compression,
      dataset_guid,
    })),
    icon: icon && { sha1: icon.sha1, size: icon.size, contentType: icon.contentType },
  };
  const kept = Object.entries(shown).filter(([field, value]) => !DERIVED.has(field) && !isNothing(value));
  return Object.fromEntries(kept.map(([field, value]) => [field, inOrder(value)]).toSorted());
}

/** What a manifest does not show. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, inOrder(item)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
