/** Streams a stored file or icon, or a range of it, with its tag, date and hash. */
import { InvalidRangeError, ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { ByteSource, ObjectStore } from '#lib/objects/object-store.ts';
import { isNotModified } from '../http-kit/conditional.ts';
import { type ByteRange, requestedRange } from '../http-kit/ranges.ts';
import { pathOf } from '../http-kit/request-head.ts';
import { fileDamaged, storedObject } from '../images/files/stored-object.ts';
import type { AccelRedirect } from './accel-redirect.ts';
import type { Call, Reply } from './call.ts';

export interface StoredFile {
  readonly storage: ObjectStore;
  readonly path: string;
  /** Bytes. No more are sent, even if more are stored. */
  readonly size: number;
  /** Lower-case hex; also the tag. Records of old icons may lack it. */
  readonly sha1: string | undefined;
  /** Base64; not every record has it. A function is called only where it is sent. */
  readonly md5?: string | (() => Promise<string | undefined>) | undefined;
  /** ISO date; not every record has it. */
  readonly mtime?: string | undefined;
  readonly contentType: string;
  /** Given if the bytes will never be others than now: then a proxy may send them. */
  readonly redirect?: AccelRedirect | undefined;
}

/**
 * The same for HEAD and GET, conditional or not: an object that cannot be read is never said to exist.
 * @throws 404 if the object is gone, 503 FileDamaged if it is too short, 412, 416
 */
export async function fileReply(call: Call, file: StoredFile): Promise<Reply> {
  const { storage, path, size: recorded } = file;
  const stored = await storedObject(call.log, { storage, path, size: recorded, what: pathOf(call.url) });
  const lastModified = dateOf(file.mtime);
  const headers: Record<string, string> = {
    ...(file.sha1 !== undefined && { Etag: file.sha1 }),
    ...(lastModified && { 'Last-Modified': lastModified.toUTCString() }),
    'Accept-Ranges': 'bytes',
    'Content-Type': file.contentType,
  };
  // Without a tag, only `*` matches.
  const etag = file.sha1 ?? '';
  if (isNotModified(call, { etag, ...(lastModified && { lastModified }) })) {
    return { status: 304, headers: withoutType(headers) };
  }
  const range = requestedRange(call.headers, recorded, file.sha1, lastModified);
  const size = range ? range.end - range.start + 1 : recorded;
  headers['Content-Length'] = String(size);
  if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end}/${recorded}`;
  // The hash is that of the whole file, so it would be wrong for a part of it.
  else {
    const md5 = typeof file.md5 === 'function' ? await file.md5() : file.md5;
    if (md5 !== undefined) headers['Content-MD5'] = md5;
  }
  const status = range ? 206 : 200;
  if (size === 0) return { status, headers };
  // A proxy knows neither where the file ends by the record, nor what the service makes of a strange range.
  const isPlain = stored.size === recorded && (range !== undefined || call.headers.range === undefined);
  const accelerated = isPlain ? file.redirect?.(call, storage, { path }) : undefined;
  if (accelerated) {
    // What the proxy says itself it would say twice.
    const { 'Accept-Ranges': _, ...told } = headers;
    return { status, headers: { ...told, ...accelerated, 'Content-Length': '0' } };
  }
  return { status, headers, stream: await open(call, file, range ?? { start: 0, end: recorded - 1 }) };
}

/** An answer without a body has no type. */
function withoutType({ 'Content-Type': _, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}

/** Undefined if it is not a date. */
function dateOf(mtime: string | undefined): Date | undefined {
  const date = new Date(mtime ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

async function open(call: Call, { storage, path, size }: StoredFile, range: ByteRange): Promise<ByteSource> {
  try {
    return (await storage.read(path, { ...range, signal: call.signal })).stream;
  } catch (error) {
    // It has changed since it was checked.
    if (error instanceof ObjectNotFoundError) throw fileDamaged(pathOf(call.url), 'its bytes are gone', error);
    if (error instanceof InvalidRangeError) {
      throw fileDamaged(pathOf(call.url), `${error.size} of ${size} bytes are stored`, error);
    }
    throw error;
  }
}
