/**
 * Converts between the manifest as clients write it and the record in the bucket `imgapi_images`, whose form is that of
 * the older IMGAPIs that may share the bucket.
 */
import { asBoolean, BOOLEAN_FIELDS, isObject, REQUIRED_FIELDS, ZVOL_FIELDS } from './fields.ts';
import type { ImageRecord } from './record.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A longer value cannot be searched for; only its key can. */
const LONGEST_TAG_VALUE = 100;

const BOOLEANS: ReadonlySet<string> = new Set(BOOLEAN_FIELDS);
/** Here `null` does not mean "not given": it is kept, so that validation refuses it. */
const NEVER_NULL: ReadonlySet<string> = new Set(
  REQUIRED_FIELDS.filter((field) => ![...ZVOL_FIELDS, 'published_at', 'files'].includes(field)),
);
const EMPTY_IS_ABSENT: ReadonlySet<string> = new Set([
  'description',
  'homepage',
  'eula',
  'published_at',
  'billing_tags',
  'deprecated_at',
  'replaced_by',
]);

/**
 * Manifest fields in their stored form. Nothing is validated: a value that cannot be converted stays as it is, so that
 * validation reports it. `null` and, for texts, `""` mean "not given". The flag `icon` is dropped, because it is about
 * the server that the manifest came from.
 */
export function recordFields(manifest: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(manifest).flatMap(([field, value]) => storedField(field, value)));
}

function storedField(field: string, value: unknown): [string, unknown][] {
  if (value === undefined || (value === null && !NEVER_NULL.has(field))) return [];
  if (value === '' && EMPTY_IS_ABSENT.has(field)) return [];
  if (field === 'icon' && asBoolean(value) !== undefined) return [];
  if (field === 'tags') return Object.entries(tagFields(value));
  if (field === 'requirements') return [[field, withoutSecondNames(value)]];
  if (field === 'image_size') return [[field, asNumber(value)]];
  if (BOOLEANS.has(field)) return [[field, asBoolean(value) ?? value]];
  if (TEXTS.has(field)) return [[field, asText(value)]];
  return [[field, LISTS.has(field) ? asList(value) : value]];
}

/** CloudAPI shows these requirements under two names each. */
const SECOND_NAMES = { max_memory: 'max_ram', min_memory: 'min_ram' } as const;

/** Without those that say the same again: a manifest that was read from CloudAPI goes back in. */
function withoutSecondNames(requirements: unknown): unknown {
  if (!isObject(requirements)) return requirements;
  const repeated: ReadonlySet<string> = new Set(
    Object.entries(SECOND_NAMES).flatMap(([second, first]) =>
      requirements[second] === requirements[first] ? [second] : [],
    ),
  );
  return Object.fromEntries(Object.entries(requirements).filter(([name]) => !repeated.has(name)));
}

/** Clients send some texts as numbers. */
const TEXTS: ReadonlySet<string> = new Set(['name', 'version', 'description']);
const LISTS: ReadonlySet<string> = new Set(['acl', 'billing_tags']);

function asText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}

/** A bare string stands for a list of one. */
export function asList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value;
}

function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
}

/** A manifest's tags as a record holds them: the object, and the strings by which it is searched. */
export function tagFields(tags: unknown): { readonly tagsObj: unknown; readonly tags?: string[] } {
  return isObject(tags) ? { tags: tagSearchStrings(tags), tagsObj: tags } : { tagsObj: tags };
}

/** `key=value`, or `key=` for a value that is not a scalar or too long to search for. */
export function tagSearchStrings(tags: Fields): string[] {
  return Object.entries(tags).map(([key, value]) => `${key}=${searchedValue(value)}`);
}

function searchedValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= LONGEST_TAG_VALUE ? value : '';
}

function tagsFromSearchStrings(strings: readonly unknown[]): Record<string, string> {
  const pairs = strings.flatMap((string): [string, string][] => {
    if (typeof string !== 'string') return [];
    const end = string.indexOf('=');
    return end < 0 ? [] : [[string.slice(0, end), string.slice(end + 1)]];
  });
  return Object.fromEntries(pairs);
}

/** Records from the store are frozen and shared, so each is normalized once and keeps its identity. */
const NORMALIZED = new WeakMap<object, ImageRecord>();

/**
 * A record as the types promise it, whichever IMGAPI wrote it. Converts arrays stored as bare strings, booleans as their
 * names, texts as numbers, tags as search strings only, and nulls. Returns the same object if there is nothing to do.
 */
export function normalizeStored(stored: ImageRecord): ImageRecord {
  const known = NORMALIZED.get(stored);
  if (known) return known;
  const normalized = normalize(stored);
  if (Object.isFrozen(stored)) NORMALIZED.set(stored, normalized);
  return normalized;
}

function normalize(stored: ImageRecord): ImageRecord {
  const changes: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(stored)) {
    const normal = normalValue(field, value);
    if (normal !== value) changes[field] = normal;
  }
  if (stored.tags?.length && !stored.tagsObj) changes['tagsObj'] = tagsFromSearchStrings([stored.tags].flat());
  if (Object.keys(changes).length === 0) return stored;
  const entries = Object.entries({ ...stored, ...changes }).filter(([, value]) => value !== undefined);
  // Only the form is changed here; the values are validated when the record is served.
  return Object.freeze(Object.fromEntries(entries)) as unknown as ImageRecord;
}

function normalValue(field: string, value: unknown): unknown {
  if (value === null) return undefined;
  switch (field) {
    case 'acl':
    case 'billing_tags':
    case 'tags':
      return asList(value);
    case 'name':
    case 'version':
    case 'description':
      return asText(value);
    case 'image_size':
      return asNumber(value);
    case 'files':
      return Array.isArray(value) && !value.every(isPlaced) ? value.map(placed) : value;
    case 'icon':
      return isPlaced(value) ? value : placed(value);
    default:
      return BOOLEANS.has(field) ? (asBoolean(value) ?? value) : value;
  }
}

/** Older records do not name the store of a file; it is this one. */
const FIRST_STORE = 'local';

function isPlaced(file: unknown): boolean {
  return !isObject(file) || typeof file['stor'] === 'string';
}

function placed(file: unknown): unknown {
  return isPlaced(file) ? file : Object.freeze({ ...(file as object), stor: FIRST_STORE });
}
