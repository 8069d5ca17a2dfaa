/** A record in the form that today's IMGAPI reads: nothing that it does not know, and each field as it stores it. */
import { MANIFEST_FIELDS, VERSION_3_FIELDS } from '#lib/manifest/fields.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored, tagFields } from '#lib/manifest/stored.ts';

const NEWER: readonly string[] = VERSION_3_FIELDS;
const KNOWN: readonly string[] = [
  ...MANIFEST_FIELDS.filter((field) => !NEWER.includes(field)),
  'expires_at',
  'tagsObj',
];

/** Undefined for what is no image to it: a tombstone, or the placeholder of a copy. */
export function exportedRecord(stored: ImageRecord): ImageRecord | undefined {
  const record = normalizeStored(stored);
  if (record.state === 'deleting' || record.copy) return undefined;
  const fields = record as unknown as Readonly<Record<string, unknown>>;
  const known = KNOWN.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]] as const]));
  const { tagsObj } = record;
  return { ...Object.fromEntries(known), ...(tagsObj && tagFields(tagsObj)) } as unknown as ImageRecord;
}

/** Whether accounts have lost something in it that today's IMGAPI cannot hold. */
export function isSharedByLogin({ grants = [] }: ImageRecord): boolean {
  return grants.length > 0;
}
