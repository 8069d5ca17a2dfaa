/**
 * Where a list begins. A marker's image is in the list that it begins, and stores begin strictly after a place: so the
 * place is that of the UUID right before it, which an index finds however far down the list it is.
 */
import type { Filter } from '#lib/documents/store.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';

export type SortOrder = 'asc' | 'desc';

/** A place between two images of a list. */
export interface Cursor {
  readonly publishedAt: string | null;
  readonly uuid: string;
}

export type Marker = { readonly image: Cursor } | { readonly publishedAt: string };

export interface Start {
  readonly after: Cursor | undefined;
  /** What the place cannot say. */
  readonly conditions: readonly Filter[];
}

const UUIDS = 2n ** 128n;

/** @param after of a list that has begun already */
export function startOf(from: Marker | undefined, after: Cursor | undefined, order: SortOrder): Start {
  if (!from) return { after, conditions: [] };
  if ('image' in from) {
    const before = placeBefore(from.image, order);
    return { after: laterOf(after, before, order), conditions: before ? [] : [startingAt(from.image, order)] };
  }
  const { publishedAt } = from;
  const before = order === 'desc' ? placeBeforeDate(publishedAt) : undefined;
  return { after: laterOf(after, before, order), conditions: [fromDate(publishedAt, order)] };
}

/** Whether a place comes after another one. */
export function isBehind(place: Cursor, other: Cursor, order: SortOrder): boolean {
  const [a, b] = [place.publishedAt ?? '', other.publishedAt ?? ''];
  const isLater = a === b ? place.uuid > other.uuid : a > b;
  return order === 'asc' ? isLater : !isLater && (a !== b || place.uuid !== other.uuid);
}

function laterOf(one: Cursor | undefined, other: Cursor | undefined, order: SortOrder): Cursor | undefined {
  if (!one || !other) return one ?? other;
  return isBehind(one, other, order) ? one : other;
}

/** Undefined for the first or the last UUID that there can be. */
function placeBefore({ publishedAt, uuid }: Cursor, order: SortOrder): Cursor | undefined {
  const number = BigInt(`0x${uuid.replaceAll('-', '')}`) + (order === 'asc' ? -1n : 1n);
  if (number < 0n || number >= UUIDS) return undefined;
  const digits = number.toString(16).padStart(32, '0');
  return { publishedAt, uuid: digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') };
}

/** The next second, which comes before all of this one going down. Undefined after the last year of four digits. */
function placeBeforeDate(date: string): Cursor | undefined {
  const publishedAt = new Date(Math.floor(Date.parse(date) / 1000) * 1000 + 1000);
  if (Number.isNaN(publishedAt.getTime()) || publishedAt.getUTCFullYear() > 9999) return undefined;
  return { publishedAt: publishedAt.toISOString(), uuid: NIL_UUID };
}

const dated: Filter = { op: 'exists', field: 'published_at' };

/**
 * Dates are stored as sent, `…:05Z` or `…:05.678Z`, and compared as text, so a whole second sorts after its own
 * milliseconds.
 */
function fromDate(date: string, order: SortOrder): Filter {
  const wholeSecond: Filter = { op: 'eq', field: 'published_at', value: date.replace(/\.\d{3}Z$/, 'Z') };
  if (order === 'desc') {
    return { op: 'or', of: [{ op: 'le', field: 'published_at', value: date }, wholeSecond, { op: 'not', of: dated }] };
  }
  const later: Filter = { op: 'ge', field: 'published_at', value: date };
  return date.endsWith('.000Z') ? later : { op: 'and', of: [later, { op: 'not', of: wholeSecond }] };
}

/** From the marker's place on, itself included. */
function startingAt({ publishedAt, uuid }: Cursor, order: SortOrder): Filter {
  const [beyond, from] = order === 'asc' ? (['gt', 'ge'] as const) : (['lt', 'le'] as const);
  const byUuid: Filter = { op: from, field: 'uuid', value: uuid };
  if (publishedAt === null) {
    const undated: Filter = { op: 'and', of: [{ op: 'not', of: dated }, byUuid] };
    return order === 'asc' ? { op: 'or', of: [dated, undated] } : undated;
  }
  const tied: Filter = { op: 'and', of: [{ op: 'eq', field: 'published_at', value: publishedAt }, byUuid] };
  const later: Filter = { op: beyond, field: 'published_at', value: publishedAt };
  return order === 'asc' ? { op: 'or', of: [later, tied] } : { op: 'or', of: [later, tied, { op: 'not', of: dated }] };
}
