/**
 * Conditional requests, in the order in which IMGAPI has always evaluated them: If-Match, If-None-Match,
 * If-Modified-Since, If-Unmodified-Since. Tags are compared without quotes and `W/`, because IMGAPI sends its own
 * without quotes.
 */
import type { Call } from './call.ts';
import { RequestError } from './request-error.ts';

export interface Validators {
  readonly etag: string;
  readonly lastModified?: Date;
}

/** True when the answer is 304. @throws 412 PreconditionFailed */
export function isNotModified(
  { headers, method }: Pick<Call, 'headers' | 'method'>,
  { etag, lastModified }: Validators,
): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !includesTag(ifMatch, etag)) throw failed(`If-Match ${ifMatch}`, etag);
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && includesTag(ifNoneMatch, etag)) {
    if (isRead) return true;
    throw failed(`If-None-Match ${ifNoneMatch}`, etag);
  }
  if (!lastModified) return false;
  // HTTP dates have whole seconds.
  const modified = Math.floor(lastModified.getTime() / 1000) * 1000;
  const since = dateOf(headers['if-modified-since']);
  if (ifNoneMatch === undefined && since !== undefined && modified <= since) {
    if (isRead) return true;
    throw failed('If-Modified-Since', etag);
  }
  const unmodifiedSince = dateOf(headers['if-unmodified-since']);
  if (unmodifiedSince !== undefined && modified > unmodifiedSince) throw failed('If-Unmodified-Since', etag);
  return false;
}

/** `list` is a header such as `"a", W/"b", *`. */
export function includesTag(list: string, etag: string): boolean {
  return list.split(',').some((part) => {
    const tag = part.trim().replace(/^W\//, '').replace(/^"|"$/g, '');
    return tag === '*' || tag === etag;
  });
}

function failed(condition: string, etag: string): RequestError {
  return new RequestError('PreconditionFailed', `${condition} does not hold: the current ETag is ${etag}`);
}

function dateOf(header: string | undefined): number | undefined {
  const time = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(time) ? undefined : time;
}
