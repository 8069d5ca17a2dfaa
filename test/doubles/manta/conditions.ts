/** Manta's conditional requests on objects, with their oddities. */
import type { IncomingHttpHeaders } from 'node:http';
import { MantaFault } from './errors.ts';
import type { StoredObject } from './tree.ts';

/** Quotes are taken off words alone; an etag has dashes, so a quoted one never matches. */
function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim().replace(/^"(\w*)"$/, '$1'));
}

const failed = (why: string): MantaFault => new MantaFault('PreconditionFailed', why);

/** @returns whether the answer is 304 @throws MantaFault PreconditionFailed */
export function isNotModified(headers: IncomingHttpHeaders, method: string, object: StoredObject | undefined): boolean {
  const reads = method === 'GET' || method === 'HEAD';
  const match = headers['if-match'];
  if (match === '""') {
    if (object !== undefined) throw failed(`if-match "" but the object exists`);
  } else if (match !== undefined && !tagsOf(match).some((tag) => tag === '*' || tag === object?.etag)) {
    throw failed(`if-match '${match}' didn't match etag '${object?.etag}'`);
  }
  const none = headers['if-none-match'];
  if (none !== undefined && tagsOf(none).some((tag) => tag === '*' || tag === object?.etag)) {
    if (reads) return true;
    throw failed(`if-none-match '${none}' matched etag '${object?.etag}'`);
  }
  return object !== undefined && isTooOldOrNew(headers, reads, Math.floor(object.mtime.getTime() / 1000) * 1000);
}

function isTooOldOrNew(headers: IncomingHttpHeaders, reads: boolean, mtime: number): boolean {
  const since = Date.parse(headers['if-modified-since'] ?? '');
  if (mtime <= since) {
    if (reads) return true;
    throw failed('not modified since');
  }
  const until = Date.parse(headers['if-unmodified-since'] ?? '');
  if (mtime > until) throw failed('modified since');
  return false;
}
