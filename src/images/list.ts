/**
 * ListImages. An account sees the union of what it owns, what is public, and what is shared with it; the store reads
 * each part from an index of its own and merges them in order. A page ends at an exact place, (date, UUID), so that
 * paging shows every image once, whatever the ties.
 */

import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Filter, Query } from '#lib/moray/store.ts';
import { isUuid } from '#lib/uuid.ts';
import { imageNotFound, invalidParameter } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import { relationTo, type Viewer } from './access.ts';
import { contentFilters, hasTag, isActivated, type ListRequest, stateFilters } from './list-filters.ts';
import { type StoredImage, servedImages } from './load.ts';
import { findVisible } from './references.ts';

export type SortOrder = 'asc' | 'desc';

/** A place between two images of a list. */
export interface Cursor {
  readonly publishedAt: string | null;
  readonly uuid: string;
}

export interface Page {
  readonly order: SortOrder;
  /** Absent: all of them. */
  readonly limit?: number;
  /** Only what comes after this place. */
  readonly after?: Cursor;
  /** Only from this place on, as `marker` has always meant. */
  readonly from?: Marker;
}

export type Marker = { readonly image: Cursor } | { readonly publishedAt: string };

export interface ImageList {
  readonly images: readonly StoredImage[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: Cursor;
}

export async function listImages(
  service: Service,
  viewer: Viewer,
  request: ListRequest,
  page: Page,
): Promise<ImageList> {
  const images: StoredImage[] = [];
  // Clients of old take a page that is not full for the last one, so what is left out of it is made up for.
  for (let { after } = page; ; ) {
    const part = await nextImages(service, viewer, request, {
      ...page,
      ...(after ? { after } : {}),
      ...(page.limit === undefined ? {} : { limit: page.limit - images.length }),
    });
    images.push(...part.images);
    if (!part.next || images.length === page.limit) return { ...part, images };
    after = part.next;
  }
}

/** A page, or less of it when some of what the store found is not shown. */
async function nextImages(service: Service, viewer: Viewer, request: ListRequest, page: Page): Promise<ImageList> {
  const visible: Filter = { op: 'or', of: visibleParts(viewer, request).map((of): Filter => ({ op: 'and', of })) };
  // One more than the page tells whether there is a next one.
  const wanted = page.limit === undefined ? undefined : page.limit + 1;
  const found = await service.store.find(IMAGES, pageQuery([visible, ...contentFilters(request)], page, wanted));
  const full = page.limit !== undefined && found.length > page.limit ? found.slice(0, page.limit) : found;
  const last = full.length < found.length ? full.at(-1) : undefined;
  const images = servedImages(service, full).filter(({ value }) => isWanted(value, viewer, request));
  return last ? { images, next: cursorOf(last.value) } : { images };
}

/** The place of an image named by `marker`, or the date that it is. @throws 404, 422 InvalidParameter marker */
export async function readMarker(service: Service, viewer: Viewer, marker: string): Promise<Marker> {
  if (isUuid(marker)) {
    const stored = await findVisible(service, marker, viewer);
    if (!stored) throw imageNotFound(marker);
    return { image: cursorOf(stored.value) };
  }
  const time = Date.parse(marker);
  if (Number.isNaN(time)) {
    throw invalidParameter('marker', `marker is "${marker}"; it must be the UUID of an image or a date`);
  }
  return { publishedAt: new Date(time).toISOString() };
}

function cursorOf(record: ImageRecord): Cursor {
  return { publishedAt: record.published_at ?? null, uuid: record.uuid };
}

/** The parts whose union the viewer sees, each as the conditions that set it apart. */
function visibleParts(viewer: Viewer, request: ListRequest): Filter[][] {
  const { account, anonymous } = viewer;
  const asked = request.state ?? 'active';
  // To somebody that nobody vouches for, "all" is what is active, and nothing is in any other state.
  if (anonymous && asked !== 'active' && asked !== 'all') return [];
  const state = anonymous ? 'active' : asked;
  const inState = stateFilters(state);
  if (account === undefined) return [inState];
  const own: Filter[] = [{ op: 'eq', field: 'owner', value: account }, ...inState];
  if (request.owner === account) return request.shared === true ? [] : [own];
  const parts: Filter[][] = [];
  if (request.owner === undefined && request.shared !== true) parts.push(own);
  // Of other people's images only those that were activated are seen, and of the disabled ones only in "all".
  if (state === 'unactivated' || state === 'disabled') return parts;
  if (request.public !== false && request.shared !== true) parts.push([isPublic(true), isActivated(true), ...inState]);
  if (request.public !== true && request.shared !== false) {
    for (const field of ['acl', 'grants']) {
      parts.push([{ op: 'contains', field, value: account }, isPublic(false), isActivated(true), ...inState]);
    }
  }
  return parts;
}

function isPublic(value: boolean): Filter {
  return { op: 'eq', field: 'public', value };
}

function pageQuery(filters: readonly Filter[], page: Page, limit: number | undefined): Query {
  const all = [...filters];
  if (page.from && 'publishedAt' in page.from) {
    all.push(fromDate(page.from.publishedAt, page.order));
  }
  const start = page.from && 'image' in page.from ? page.from.image : undefined;
  if (start) all.push(startingAt(start, page.order));
  return {
    filter: { op: 'and', of: all },
    sort: { field: 'published_at', order: page.order },
    ...(page.after ? { after: { value: page.after.publishedAt, key: page.after.uuid } } : {}),
    ...(limit === undefined ? {} : { limit }),
  };
}

const dated: Filter = { op: 'exists', field: 'published_at' };

/**
 * Dates are stored as they came, `…:05Z` or `…:05.678Z`, and compared as text, by which a whole second comes after its
 * thousandths.
 */
function fromDate(date: string, order: SortOrder): Filter {
  const wholeSecond: Filter = { op: 'eq', field: 'published_at', value: date.replace(/\.\d{3}Z$/, 'Z') };
  if (order === 'desc') {
    return { op: 'or', of: [{ op: 'le', field: 'published_at', value: date }, wholeSecond, { op: 'not', of: dated }] };
  }
  const later: Filter = { op: 'ge', field: 'published_at', value: date };
  return date.endsWith('.000Z') ? later : { op: 'and', of: [later, { op: 'not', of: wholeSecond }] };
}

/** From the marker's own place on, itself included. */
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

/** What the store's indexes cannot tell. */
function isWanted(record: ImageRecord, viewer: Viewer, request: ListRequest): boolean {
  if (request.copies !== undefined && request.copies !== (record.copy !== undefined)) return false;
  if (!request.tags.every(([key, value]) => hasTag(record, key, value))) return false;
  return request.shared !== true || relationTo(record, viewer) === 'sharee';
}
