/**
 * All images of a list, page by page. API version 3 says where the next page is. In earlier versions a page begins at a
 * date of publication, inclusive, so pages overlap: images that were seen are skipped, and where more images have the
 * same date than a page holds, the page grows.
 */

import type { Image } from '../api/schemas/image.ts';
import { ImgapiError } from './errors.ts';
import type { Query } from './filter.ts';

export interface Page {
  readonly images: readonly Image[];
  /** Query of the next page, from the `Link` header. */
  readonly next?: URLSearchParams;
}

export type FetchPage = (query: Query) => Promise<Page>;

const SERVER_LIMIT = 1000;
export const PAGE_SIZE = SERVER_LIMIT;
const LARGEST_PAGE = SERVER_LIMIT * 64;
/** Images that are not published are listed first. */
const BEGINNING = '1970-01-01T00:00:00Z';

/** @throws ImgapiError if more images have the same date than the server gives in one page */
export async function* allImages(fetchPage: FetchPage, filter: Query, pageSize: number): AsyncGenerator<Image, void> {
  const seen = new Set<string>();
  const first: Query = { ...filter, limit: pageSize };
  let query = first;
  let limit = pageSize;
  let isLinked = false;
  for (;;) {
    const { images, next } = await fetchPage(query);
    const fresh = images.filter(({ uuid }) => !seen.has(uuid));
    for (const { uuid } of fresh) seen.add(uuid);
    yield* fresh;
    if (next) {
      isLinked = true;
      query = linkedQuery(first, next);
    } else if (isLinked) {
      return;
    } else if (fresh.length > 0) {
      if (images.length < limit) return;
      limit = pageSize;
      query = { ...first, marker: images.at(-1)?.published_at ?? BEGINNING };
    } else {
      if (isCut(images.length, limit)) throw endlessInstant(images.length);
      if (images.length < limit) return;
      limit *= 2;
      query = { ...query, limit };
    }
  }
}

/** Today's IMGAPI never lists more than a thousand, and does not say so. */
function isCut(count: number, limit: number): boolean {
  return (count === SERVER_LIMIT && limit > SERVER_LIMIT) || limit > LARGEST_PAGE;
}

/** The query of `rel="next"`. The link's host and path are ignored: only the configured server is asked. */
export function nextLink(header: string | undefined): URLSearchParams | undefined {
  for (const [, target = '', params = ''] of (header ?? '').matchAll(/<([^<>]*)>((?:\s*;\s*[^,;]+)*)/g)) {
    if (!/;\s*rel="?next"?\s*(;|$)/i.test(params)) continue;
    const at = target.indexOf('?');
    return new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
  }
  return undefined;
}

function linkedQuery(filter: Query, next: URLSearchParams): Query {
  const linked: Record<string, string | string[]> = {};
  for (const name of new Set(next.keys())) linked[name] = next.getAll(name);
  return { ...filter, ...linked };
}

function endlessInstant(count: number): ImgapiError {
  return new ImgapiError(`the server lists ${count} images with the same published_at and cannot be asked for more`, {
    code: 'InvalidAnswer',
    statusCode: 200,
  });
}
