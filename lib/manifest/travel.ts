/**
 * Which fields of an image go along when it is copied, imported, cloned, exported or archived: one table, which the code
 * of each way reads and the docs print. Fields without a row are the service's own bookkeeping and never leave.
 *
 * `billing_tags` and `traits` are set by operators: they say what an image costs and where it may run. They go along
 * every way, so that copying an image does not shed them, and no way lets an account change them.
 */
import type { ManifestField } from './fields.ts';
import type { ImageRecord } from './record.ts';

export const WAYS = [
  'copy',
  'reread',
  'recopy',
  'import-remote',
  'import-source',
  'clone',
  'export',
  'archive',
] as const;
export type Way = (typeof WAYS)[number];

export const WAY_MEANING: Readonly<Record<Way, string>> = {
  copy: 'copy-from-dc, import-from-datacenter',
  reread: 'read again before the copy becomes usable',
  recopy: 'copy of an image that is here',
  'import-remote': 'import-remote',
  'import-source': 'import with source',
  clone: 'clone',
  export: 'export',
  archive: 'archive',
};

export const TRAVELS = {
  goes: 'as it is there',
  kept: 'what is here stays',
  anew: 'decided here',
  stays: 'left behind',
} as const satisfies Record<string, string>;
export type Travel = keyof typeof TRAVELS;

/** Beyond the manifest: the logins of the ACL with the accounts that they are pinned to, and where an image came from. */
export const TRAVELLING_EXTRAS = ['shares', 'copied_from', 'cloned_from'] as const;
export type TravelField = ManifestField | (typeof TRAVELLING_EXTRAS)[number];

type Row = Readonly<Record<Way, Travel>>;

function all(travel: Travel): Row {
  return Object.fromEntries(WAYS.map((way) => [way, travel])) as Row;
}

/** What describes an image, and may change. */
const DESCRIPTION = all('goes');
/** May change, but a recopy keeps what is here. */
const FIRST_COPY: Row = { ...DESCRIPTION, recopy: 'kept' };
/** What an image is. */
const FIXED: Row = { ...FIRST_COPY, reread: 'kept' };
const LEFT_BEHIND: Row = { ...all('stays'), reread: 'kept', recopy: 'kept' };

export const TRAVEL: Readonly<Record<TravelField, Row>> = {
  v: { ...FIXED, copy: 'anew', 'import-remote': 'anew' },
  uuid: { ...FIXED, clone: 'anew' },
  urn: { ...FIXED, copy: 'stays', clone: 'stays' },
  owner: { ...FIXED, clone: 'anew' },
  name: DESCRIPTION,
  version: DESCRIPTION,
  description: DESCRIPTION,
  homepage: DESCRIPTION,
  eula: DESCRIPTION,
  disabled: { ...FIXED, clone: 'anew' },
  activated: { ...LEFT_BEHIND, copy: 'anew', 'import-remote': 'anew', 'import-source': 'anew', clone: 'anew' },
  published_at: { ...FIXED, clone: 'anew' },
  state: { ...FIXED, copy: 'anew', 'import-remote': 'anew', 'import-source': 'anew', clone: 'anew' },
  public: { ...FIXED, copy: 'anew', clone: 'anew' },
  type: FIXED,
  os: FIRST_COPY,
  origin: { ...FIXED, clone: 'anew' },
  error: { ...LEFT_BEHIND, export: 'goes', archive: 'goes' },
  files: { ...FIXED, 'import-source': 'stays' },
  icon: { ...FIXED, 'import-source': 'stays' },
  acl: { ...DESCRIPTION, clone: 'stays' },
  requirements: DESCRIPTION,
  users: FIRST_COPY,
  billing_tags: DESCRIPTION,
  traits: DESCRIPTION,
  tags: DESCRIPTION,
  generate_passwords: FIRST_COPY,
  inherited_directories: FIRST_COPY,
  nic_driver: FIRST_COPY,
  disk_driver: FIRST_COPY,
  cpu_type: FIRST_COPY,
  image_size: FIRST_COPY,
  channels: {
    ...LEFT_BEHIND,
    ...({ 'import-remote': 'anew', 'import-source': 'anew' } as const),
    ...({ clone: 'goes', export: 'goes', archive: 'goes' } as const),
  },
  deprecated_at: { ...DESCRIPTION, clone: 'stays' },
  replaced_by: { ...DESCRIPTION, clone: 'stays' },
  shares: { ...LEFT_BEHIND, copy: 'goes', reread: 'goes', recopy: 'goes' },
  copied_from: { ...LEFT_BEHIND, copy: 'anew', 'import-remote': 'anew' },
  cloned_from: { ...LEFT_BEHIND, clone: 'anew' },
};

/** The record fields that a row stands for, where they differ from the manifest's. */
const STORED_AS: Readonly<Partial<Record<TravelField, readonly (keyof ImageRecord)[]>>> = {
  tags: ['tags', 'tagsObj'],
  shares: ['shares', 'grants', 'left', 'left_uuids'],
};

/** The fields that go this way, by their names in a manifest. */
export function travellingFields(way: Way): TravelField[] {
  return (Object.keys(TRAVEL) as TravelField[]).filter((field) => TRAVEL[field][way] === 'goes');
}

/** The part of a manifest that goes this way. */
export function travellingManifest(manifest: Readonly<Record<string, unknown>>, way: Way): Record<string, unknown> {
  return pick(manifest, travellingFields(way));
}

/** The manifest without the fields that do not go this way; unknown fields are kept for validation to report. */
export function withoutLeftBehind(manifest: Readonly<Record<string, unknown>>, way: Way): Record<string, unknown> {
  const goes: ReadonlySet<string> = new Set(travellingFields(way));
  return Object.fromEntries(
    Object.entries(manifest).filter(([field]) => goes.has(field) || !Object.hasOwn(TRAVEL, field)),
  );
}

/** The part of a record that goes this way. */
export function travellingRecord(record: ImageRecord, way: Way): Partial<ImageRecord> {
  return pick(record, travellingFields(way).flatMap(storedNames));
}

/** A recopy merges each of these with what is here, in its own way. */
const MERGED: readonly TravelField[] = ['acl', 'shares', 'billing_tags', 'traits'];

/**
 * The record with the fields that go this way as `there` has them; fields that are absent there are removed. A recopy
 * leaves the ACL and the marks as they are here.
 */
export function refreshedRecord(record: ImageRecord, there: ImageRecord, way: 'reread' | 'recopy'): ImageRecord {
  const fields = travellingFields(way).filter((field) => way !== 'recopy' || !MERGED.includes(field));
  const names = fields.flatMap(storedNames);
  const replaced: ReadonlySet<string> = new Set(names);
  const kept = Object.entries(record).filter(([field]) => !replaced.has(field));
  return { ...Object.fromEntries(kept), ...pick(there, names) } as unknown as ImageRecord;
}

function storedNames(field: TravelField): readonly string[] {
  return STORED_AS[field] ?? [field];
}

function pick(fields: object, names: readonly string[]): Record<string, unknown> {
  const wanted: ReadonlySet<string> = new Set(names);
  const entries = Object.entries(fields).filter(([field, value]) => wanted.has(field) && value !== undefined);
  return Object.fromEntries(entries);
}
