/**
 * ListImages, in pieces, because a list may not fit in memory. An account sees the union of what it owns, what is public
 * and what is shared with it; the store reads each part from an index of its own and merges them in order. A page ends
 * at an exact place, (date, UUID), so that paging shows every image once even where dates are equal.
 */

import { imageNotFound, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { Filter, KeptList, Query, Stored } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { Turn } from '#lib/runtime/turns.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { contentFilters, hasTag, isActivated, type ListRequest, stateFilters } from './list-filters.ts';
import { type Cursor, isBehind, type Marker, type SortOrder, startOf } from './list-start.ts';
import { relationTo, type Viewer } from './record/access.ts';
import { isDeprecated } from './record/deprecation.ts';
import { type Records, type StoredImage, servedImage } from './record/load.ts';
import { findVisible } from './record/references.ts';
import { isOffer } from './sharing/acceptance.ts';

export interface Page {
  readonly order: SortOrder;
  /** Absent: no limit. 0, together with `after`, only asks whether there is more. */
  readonly limit?: number;
  /** Only images after this place. */
  readonly after?: Cursor;
  /** Only images from this place on, itself included: the meaning of `marker`. */
  readonly from?: Marker;
  /** Only images up to this place, itself included. */
  readonly until?: Cursor;
}

/** A part of a list. */
export interface ImageBit {
  readonly images: readonly StoredImage[];
  /** With the last piece of a page: the place after which the next page begins; absent on the last page. */
  readonly next?: Cursor;
}

/** Up to this many records are processed without yielding to other work. */
const FEW = 50;

/** A short page, which may be in memory because it was asked for before. */
export class ShortPage {
  readonly #service: Records;
  readonly #viewer: Viewer;
  readonly #request: ListRequest;
  readonly #limit: number;
  readonly #query: Query;

  private constructor(service: Records, viewer: Viewer, request: ListRequest, limit: number, query: Query) {
    this.#service = service;
    this.#viewer = viewer;
    this.#request = request;
    this.#limit = limit;
    this.#query = query;
  }

  /** Undefined for a page that is not short. */
  static of(service: Records, viewer: Viewer, request: ListRequest, page: Page): ShortPage | undefined {
    const { limit, until, after } = page;
    if (limit === undefined || limit > FEW || until) return undefined;
    const query = pageQuery(filtersOf(viewer, request), page, after, limit + 1);
    return new ShortPage(service, viewer, request, limit, query);
  }

  /** What was found before, if that has not changed. Undefined says nothing: then {@link listImages} has to be asked. */
  kept(): KeptList<ImageRecord> | undefined {
    return this.#service.store.keptList(IMAGES, this.#query);
  }

  /** The images of what is kept; undefined if they are not in memory, or do not fill the page. */
  imagesOf(list: KeptList<ImageRecord>): readonly StoredImage[] | undefined {
    const found = list.documents();
    if (!found) return undefined;
    const taken = found.slice(0, this.#limit);
    const images = taken.flatMap((stored) => servedImage(this.#service, stored) ?? []);
    const wanted = images.filter(({ value }) =>
      isWanted(value, this.#viewer, this.#request, this.#service.store.now()),
    );
    // Where some are left out and there are more, the page has to be filled up.
    return found.length === taken.length || wanted.length === taken.length ? wanted : undefined;
  }
}

/** Ends with the reason of `signal` when that aborts. */
export async function* listImages(
  service: Records,
  viewer: Viewer,
  request: ListRequest,
  page: Page,
  signal: AbortSignal,
): AsyncGenerator<ImageBit, void> {
  const filters = filtersOf(viewer, request);
  const now = service.store.now();
  const wanted = (record: ImageRecord): boolean => isWanted(record, viewer, request, now);
  let left = page.limit ?? Number.POSITIVE_INFINITY;
  let { after } = page;
  // Existing clients take a short page for the last one, so a page is filled up when records in it are left out.
  for (;;) {
    // One record more than the page holds tells whether there is a next page.
    const query = pageQuery(filters, page, after, left + 1);
    let room = left;
    let last = after;
    let isMore = false;
    for await (const found of service.store.scan(IMAGES, query, { signal })) {
      const taken = found.slice(0, room);
      isMore = taken.length < found.length;
      room -= taken.length;
      const end = taken.at(-1)?.value;
      if (end) last = cursorOf(end);
      const { images, isEnd } = await shown(service, taken, wanted, page);
      left -= images.length;
      if (images.length > 0) yield { images };
      if (isEnd) return;
    }
    if (!isMore || !last) return;
    after = last;
    if (left > 0) continue;
    yield { images: [], next: after };
    return;
  }
}

/** The images that the viewer gets; yields to other work on the event loop. */
async function shown(
  service: Records,
  found: readonly Stored<ImageRecord>[],
  isWanted: (record: ImageRecord) => boolean,
  { until, order }: Page,
): Promise<{ images: StoredImage[]; isEnd: boolean }> {
  const images: StoredImage[] = [];
  const turn = new Turn();
  for (const stored of found) {
    if (found.length > FEW && turn.isOver) await turn.next();
    if (until && isBehind(cursorOf(stored.value), until, order)) return { images, isEnd: true };
    const image = servedImage(service, stored);
    if (image && isWanted(image.value)) images.push(image);
  }
  return { images, isEnd: false };
}

/** `marker` is the UUID of an image, or a date. @throws 404, 422 InvalidParameter marker */
export async function readMarker(service: Records, viewer: Viewer, marker: string): Promise<Marker> {
  if (isUuid(marker)) {
    const stored = await findVisible(service, marker, viewer);
    if (!stored) throw imageNotFound(marker);
    return { image: cursorOf(stored.value) };
  }
  const time = Date.parse(marker);
  // Dates are compared as text, in which a year of five digits comes before all others.
  if (Number.isNaN(time) || new Date(time).getUTCFullYear() > 9999) {
    throw invalidParameter('marker', `marker is "${marker}"; it must be the UUID of an image or a date`);
  }
  return { publishedAt: new Date(time).toISOString() };
}

/** The place right after an image. */
export function cursorOf(record: ImageRecord): Cursor {
  return { publishedAt: record.published_at ?? null, uuid: record.uuid };
}

/** What the viewer sees in lists, whatever its state. */
export function listedFilter(viewer: Viewer): Filter {
  const of = visibleParts(viewer, { state: 'all', billingTags: [], tags: [] });
  return { op: 'or', of: of.map((part): Filter => ({ op: 'and', of: part })) };
}

function filtersOf(viewer: Viewer, request: ListRequest): Filter[] {
  const visible: Filter = { op: 'or', of: visibleParts(viewer, request).map((of): Filter => ({ op: 'and', of })) };
  return [visible, ...contentFilters(request)];
}

/** The parts whose union the viewer sees, each as a list of conditions. */
function visibleParts(viewer: Viewer, request: ListRequest): Filter[][] {
  const { account, anonymous } = viewer;
  const asked = request.state ?? 'active';
  // An anonymous viewer sees active images only: "all" means those, and any other state is empty.
  if (anonymous && asked !== 'active' && asked !== 'all') return [];
  const state = anonymous ? 'active' : asked;
  const inState = stateFilters(state);
  if (account === undefined) return [inState];
  const own: Filter[] = [{ op: 'eq', field: 'owner', value: account }, ...inState];
  if (request.owner === account) return request.shared === true ? [] : [own];
  const parts: Filter[][] = [];
  if (request.owner === undefined && request.shared !== true) parts.push(own);
  // Other accounts' images are visible only once activated, and the disabled ones only in "all".
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

function pageQuery(filters: readonly Filter[], { order, from }: Page, done: Cursor | undefined, limit: number): Query {
  const { after, conditions } = startOf(from, done, order);
  return {
    filter: { op: 'and', of: [...filters, ...conditions] },
    sort: { field: 'published_at', order },
    ...(after && { after: { value: after.publishedAt, key: after.uuid } }),
    ...(Number.isFinite(limit) && { limit }),
  };
}

/** The conditions that the store's indexes cannot answer. */
function isWanted(record: ImageRecord, viewer: Viewer, request: ListRequest, now: number): boolean {
  if (request.deprecated !== undefined && request.deprecated !== isDeprecated(record, now)) return false;
  if (request.copies !== undefined && request.copies !== (record.copy !== undefined)) return false;
  if (!request.tags.every(([key, value]) => hasTag(record, key, value))) return false;
  if (request.shared === true && relationTo(record, viewer) !== 'sharee') return false;
  const { offers } = request;
  if (!offers || viewer.account === undefined) return true;
  return isOffer(record, viewer.account, offers) === (offers.show === 'only');
}
