/** GET /images: its parameters, checked in the order that clients are used to, and its pages. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import { type IMAGES, type ListState, MOST_IMAGES } from '#lib/api/imgapi/images.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { QueryParams } from '../../http-kit/call.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { texts, wholeOrBegun } from '../../http-kit/text-pieces.ts';
import { type ImageBit, listImages, type Page, readMarker, ShortPage } from '../../images/list.ts';
import { assertFewFilters, type ListRequest } from '../../images/list-filters.ts';
import type { Cursor, SortOrder } from '../../images/list-start.ts';
import type { Viewer } from '../../images/record/access.ts';
import type { ImageView } from '../../images/record/serialize.ts';
import { isShownAll, offerPolicyOf } from '../../images/sharing/acceptance.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { accountOf } from '../claimant.ts';
import { channelOf, viewerOf, viewOf } from '../image-call.ts';
import { KeptLists } from '../kept-lists.ts';
import { listPieces } from '../list-body.ts';
import { needsVersion } from '../versions.ts';

type ListQuery = QueryOf<typeof IMAGES.ListImages>;

/** What a request asks for. */
interface Asked {
  readonly viewer: Viewer;
  readonly request: ListRequest;
  readonly page: Page;
  readonly view: Omit<ImageView, 'ownerLogin'>;
}

export function listImagesHandler(service: Service): Handlers<typeof IMAGES, Call>['ListImages'] {
  const lists = new KeptLists();
  return (call, query) => {
    const account = accountOf(call);
    const isPlain = account === undefined || isShownAll(service, account);
    const answered = isPlain ? lists.answerTo(call) : undefined;
    if (answered) return answered;
    const { marker, offered, ...asked } = readRequest(service, call, query);
    if (!isPlain || offered !== undefined) return listOffered(service, call, { marker, offered, asked });
    // What a marker means may change.
    if (marker !== undefined) return listFrom(service, call, marker, asked);
    const { viewer, request, page, view } = asked;
    if (page.limit === 0) return { json: [] };
    const short = call.version === 3 ? undefined : ShortPage.of(service, viewer, request, page);
    return (short && lists.answerAnew(call, short, view)) ?? list(service, call, asked);
  };
}

interface Offered {
  readonly marker: string | undefined;
  readonly offered: boolean | undefined;
  readonly asked: Asked;
}

/** For an account that may want to be asked before it is shown what others share with it. */
async function listOffered(service: Service, call: Call, { marker, offered = false, asked }: Offered): Promise<Reply> {
  const { account } = asked.viewer;
  const policy = account === undefined ? undefined : await offerPolicyOf(service, account);
  if (!policy && offered) return { json: [] };
  const offers = policy && ({ ...policy, show: offered ? 'only' : 'none' } as const);
  const request = { ...asked.request, ...(offered && { shared: true }), ...(offers && { offers }) };
  if (marker !== undefined) return listFrom(service, call, marker, { ...asked, request });
  return asked.page.limit === 0 ? { json: [] } : list(service, call, { ...asked, request });
}

function readRequest(service: Service, call: Call, query: ListQuery): Asked & Pick<Offered, 'marker' | 'offered'> {
  const channel = channelOf(service, call, 'read');
  const view = viewOf(service, call);
  // Each is checked when it is read, so this is the order of the checks.
  const {
    limit,
    state,
    public: isPublic,
    sort,
    marker,
    owner,
    name,
    version,
    os,
    type,
    shared,
    offered,
    deprecated,
    after,
  } = query;
  if (call.version !== 3) {
    if (state === 'copying') {
      throw invalidParameter('state', 'state "copying" needs API version 3: send Accept-Version: ~3');
    }
    if (shared !== undefined) throw needsVersion(3, 'parameter "shared"');
    if (offered !== undefined) throw needsVersion(3, 'parameter "offered"');
    if (deprecated !== undefined) throw needsVersion(3, 'parameter "deprecated"');
    if (after !== undefined) throw needsVersion(3, 'parameter "after"');
  }
  const order = sortOrder(sort);
  const filters = {
    owner,
    name,
    version,
    os,
    type,
    public: isPublic,
    shared,
    deprecated,
    ...stateOf(state, call.version),
  };
  const request: ListRequest = {
    ...withoutUndefined(filters),
    billingTags: valuesOf(query.billing_tag),
    tags: tagsOf(call.query),
    ...(channel !== undefined && { channel }),
  };
  assertFewFilters(request);
  // As in today's IMGAPI: outside `dc` mode only a signed request sees images that are not active.
  const { mode } = service.config;
  const viewer = { ...viewerOf(service, call), anonymous: mode !== 'dc' && call.user === undefined };
  const most = mostOf(limit);
  const page: Page = {
    order,
    ...(most !== undefined && { limit: most }),
    ...(after !== undefined && { after: readCursor(after) }),
  };
  return { viewer, request, page, view, marker, offered };
}

async function listFrom(service: Service, call: Call, marker: string, asked: Asked): Promise<Reply> {
  const page: Page = { ...asked.page, from: await readMarker(service, asked.viewer, marker) };
  return page.limit === 0 ? { json: [] } : list(service, call, { ...asked, page });
}

async function list(service: Service, call: Call, { viewer, request, page, view }: Asked): Promise<Reply> {
  const isVersion3 = call.version === 3;
  const images = (of: Page) => listImages(service, viewer, request, of, call.signal);
  const linkTo = (next: Cursor | undefined): Pick<Reply, 'headers'> =>
    isVersion3 && next ? { headers: { Link: nextLink(call, next) } } : {};
  const list = await wholeOrBegun(listPieces(service, call, images(page), view));
  if ('text' in list) return { text: list.text, ...linkTo(list.last?.next) };
  if (!isVersion3 || page.limit === undefined) return list;
  // The header needs the end of the page before its first byte is sent, so what is not in memory is read twice.
  const { held, last } = list;
  await list.pieces.return();
  const rest: Page = { ...page, limit: page.limit - last.count, ...(last.place && { after: last.place }) };
  const next = await endOf(images(rest));
  const until: Page = next ? { ...withoutLimit(rest), until: next } : rest;
  return { pieces: texts(listPieces(service, call, images(until), view, last), held), ...linkTo(next) };
}

/** Where the next page begins. */
async function endOf(images: AsyncIterable<ImageBit>): Promise<Cursor | undefined> {
  let end: Cursor | undefined;
  for await (const { next } of images) end = next;
  return end;
}

function withoutLimit({ limit: _, ...page }: Page): Page {
  return page;
}

/** Version 3 distinguishes images that are being copied from another datacenter from those that are being made here. */
function stateOf(
  state: ListState | 'copying' | undefined,
  version: ImgapiVersion,
): { state: ListState | undefined; copies?: boolean } {
  if (state === 'copying') return { state: 'creating', copies: true };
  return state === 'creating' && version === 3 ? { state, copies: false } : { state };
}

/** How many images a page holds; undefined: no limit. As in today's IMGAPI, a fraction is cut off, and below 1 is none. */
function mostOf(limit: number | undefined): number | undefined {
  if (!limit) return undefined;
  return Math.max(0, Math.min(MOST_IMAGES, Math.floor(limit)));
}

/** Anything but `asc` after the attribute sorts descending, as it always has. */
function sortOrder(sort: string | undefined): SortOrder {
  if (sort === undefined) return 'asc';
  const [attribute, order = 'asc'] = sort.split('.');
  if (attribute !== 'published_at') {
    throw invalidParameter('sort', `sort is "${sort}"; images are sorted by published_at[.asc|.desc] only`);
  }
  return order.toLowerCase() === 'asc' ? 'asc' : 'desc';
}

function valuesOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function tagsOf(query: QueryParams): [string, string][] {
  return Object.entries(query)
    .filter(([name]) => name.startsWith('tag.') && name.length > 'tag.'.length)
    .flatMap(([name, value]) => valuesOf(value).map((item): [string, string] => [name.slice('tag.'.length), item]));
}

/** The cursor is opaque to clients: they follow the link. */
function nextLink(call: Call, next: Cursor): string {
  const mark = call.url.indexOf('?');
  const query = new URLSearchParams(call.url.slice(mark + 1));
  query.delete('marker');
  query.set('after', Buffer.from(JSON.stringify([next.publishedAt, next.uuid])).toString('base64url'));
  // Relative to the request, so it is right under any URL by which the client reached the service.
  return `<?${query}>; rel="next"`;
}

function readCursor(after: string): Cursor {
  const cursor = cursorIn(after);
  if (cursor) return cursor;
  throw invalidParameter('after', `after is "${after}"; take it from the link to the next page`);
}

/** Only what can be the place of an image: not every store takes any text, NUL for one. */
function cursorIn(after: string): Cursor | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    const [publishedAt, uuid]: readonly unknown[] = Array.isArray(value) ? value : [];
    if (!isUuid(uuid) || (publishedAt !== null && !isDate(publishedAt))) return undefined;
    return { publishedAt, uuid };
  } catch {
    return undefined;
  }
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && /^[ -~]+$/.test(value) && !Number.isNaN(Date.parse(value));
}

function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
