/** Streams a stored object with the headers of files and icons: tag, date, hash, and for files a range of it. */
import { ObjectNotFoundError } from '#lib/manta/errors.ts';
import type { ObjectStore } from '#lib/manta/object-store.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Call, Reply } from './call.ts';
import { includesTag, isNotModified } from './conditional.ts';
import { type ByteRange, byteRange } from './ranges.ts';

export interface StoredFile {
  readonly storage: ObjectStore;
  readonly path: string;
  readonly size: number;
  /** Lower-case hex; also the tag. */
  readonly sha1: string;
  /** Base64. */
  readonly md5: string;
  /** ISO date. */
  readonly mtime: string;
  readonly contentType: string;
}

/** @throws 404 when the object is gone, 412, 416 */
export async function fileReply(call: Call, file: StoredFile): Promise<Reply> {
  const lastModified = new Date(file.mtime);
  const headers: Record<string, string> = {
    Etag: file.sha1,
    'Last-Modified': lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    'Content-Type': file.contentType,
  };
  if (isNotModified(call, { etag: file.sha1, lastModified })) return { status: 304, headers };
  const range = rangeOf(call, file, lastModified);
  const size = range ? range.end - range.start + 1 : file.size;
  headers['Content-Length'] = String(size);
  if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end}/${file.size}`;
  // The hash is that of the whole file, so it would be wrong for a part of it.
  else headers['Content-MD5'] = file.md5;
  const status = range ? 206 : 200;
  if (call.method === 'HEAD') return { status, headers };
  return { status, headers, stream: await open(call, file, range) };
}

/** If-Range that does not name this very file asks for all of it. */
function rangeOf({ headers }: Call, file: StoredFile, lastModified: Date): ByteRange | undefined {
  const ifRange = headers['if-range'];
  if (typeof ifRange === 'string') {
    const isSame = includesTag(ifRange, file.sha1) || ifRange === lastModified.toUTCString();
    if (!isSame) return undefined;
  }
  return byteRange(headers.range, file.size);
}

async function open(call: Call, { storage, path }: StoredFile, range: ByteRange | undefined) {
  try {
    const { stream } = await storage.read(path, { ...range, signal: call.signal });
    return stream;
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    throw new ApiError('ResourceNotFound', `the bytes of ${call.url.split('?', 1)[0]} are not there`, { cause: error });
  }
}
