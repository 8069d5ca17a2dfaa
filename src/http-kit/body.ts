/** Request bodies: JSON of at most 1 MiB. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { startTimer } from '#lib/runtime/timers.ts';
import { JsonError, parseJson } from '#lib/text/json.ts';
import { isJson, mediaType } from '#lib/text/media-types.ts';
import { RequestError } from './request-error.ts';

/** A body this small must not trickle in: each byte would hold the connection for as long as silence may last. */
const WHOLE_MS = 10_000;
/** What has come earns more time, so that one that is large may come over a slow line. */
const LEAST_BYTES_PER_MS = 32;

/**
 * The parsed JSON body; undefined when it is empty or has another content type. `open` is called only when the body is
 * about to be read, not when it is refused beforehand. @throws 413, 400 BadDigest, 400 InvalidContent
 */
export async function readJson(
  headers: IncomingHttpHeaders,
  open: () => Readable,
  limit: number,
  wholeMs?: number,
): Promise<unknown> {
  const given = headers['content-type'];
  if (given !== undefined && !isJson(mediaType(given) ?? '')) return undefined;
  const bytes = await readBytes(headers, open, limit, wholeMs);
  if (bytes.length === 0) return undefined;
  assertDigest(bytes, headers['content-md5'] as string | undefined);
  return parseBody(bytes);
}

/** @throws 400 InvalidContent */
export function parseBody(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new RequestError('InvalidContent', `the body is ${cause.message}`, { cause });
  }
}

/**
 * The whole body, unpacked if Content-Encoding is gzip. @param wholeMs how long it may take, and longer for what has come
 * @throws 413, 400, 408 when it is not whole by then
 */
export async function readBytes(
  headers: IncomingHttpHeaders,
  open: () => Readable,
  limit: number,
  wholeMs = WHOLE_MS,
): Promise<Buffer> {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new RequestError('InvalidHeader', `Content-Encoding "${encoding}" is not accepted; send gzip or none`);
  }
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const request = open();
  const source = encoding === 'gzip' ? unzipped(request) : request;
  const chunks: Buffer[] = [];
  let size = 0;
  const begun = performance.now();
  // Stopping early must not destroy the request: the answer still goes out on its connection.
  const pieces = source.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const allowed = wholeMs + size / LEAST_BYTES_PER_MS;
      const piece = await within(begun + allowed - performance.now(), pieces.next());
      if (piece === LATE) throw tooLate(allowed);
      if (piece.done) break;
      const chunk = piece.value as Buffer;
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new RequestError('InvalidContent', `the body could not be read: ${(cause as Error).message}`, { cause });
  } finally {
    // Where a piece is still waited for, this ends with the request.
    void pieces.return?.().catch(() => undefined);
    if (source !== request) {
      request.unpipe();
      source.destroy();
    }
  }
  return Buffer.concat(chunks);
}

const LATE = Symbol('late');

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | typeof LATE> {
  const late = Promise.withResolvers<typeof LATE>();
  // A process that had no turn for so long has not yet read what came meanwhile.
  const timer = startTimer(() => setImmediate(late.resolve, LATE), Math.max(0, milliseconds));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timer.stop();
  }
}

function tooLate(milliseconds: number): RequestError {
  const seconds = Math.round(milliseconds / 1000);
  // The rest is not waited for either.
  const options = { headers: { Connection: 'close' } };
  return new RequestError('RequestTimeout', `the body did not arrive within ${seconds} s`, options);
}

function unzipped(request: Readable): Readable {
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  return request.pipe(gunzip);
}

function tooLarge(limit: number): RequestError {
  return new RequestError('RequestEntityTooLarge', `the body is larger than ${limit} bytes`);
}

function assertDigest(bytes: Buffer, contentMd5: string | undefined): void {
  if (contentMd5 === undefined) return;
  const actual = createHash('md5').update(bytes).digest('base64');
  if (actual !== contentMd5) {
    throw new RequestError('BadDigest', `Content-MD5 is "${contentMd5}", but that of the body is "${actual}"`);
  }
}
