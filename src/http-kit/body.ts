/** Request bodies: JSON of at most 1 MiB. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { JsonError, parseJson } from '#lib/text/json.ts';
import { isJson, mediaType } from '#lib/text/media-types.ts';
import { RequestError } from './request-error.ts';

/** A body this small must not trickle in for ever. The connection itself limits silence. */
const LONGEST_MS = 300_000;

/**
 * The parsed JSON body; undefined when it is empty or has another content type. `open` is called only when the body is
 * about to be read, not when it is refused beforehand. @throws 413, 400 BadDigest, 400 InvalidContent
 */
export async function readJson(headers: IncomingHttpHeaders, open: () => Readable, limit: number): Promise<unknown> {
  const given = headers['content-type'];
  if (given !== undefined && !isJson(mediaType(given) ?? '')) return undefined;
  const bytes = await readBytes(headers, open, limit);
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

/** The whole body, unpacked if Content-Encoding is gzip. @throws 413, 400, 408 when it trickles in for too long */
export async function readBytes(headers: IncomingHttpHeaders, open: () => Readable, limit: number): Promise<Buffer> {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new RequestError('InvalidHeader', `Content-Encoding "${encoding}" is not accepted; send gzip or none`);
  }
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const request = open();
  const source = encoding === 'gzip' ? unzipped(request) : request;
  const chunks: Buffer[] = [];
  let size = 0;
  const end = performance.now() + LONGEST_MS;
  try {
    // Stopping early must not destroy the request: the answer still goes out on its connection.
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limit) throw tooLarge(limit);
      if (performance.now() > end) {
        throw new RequestError('RequestTimeout', `the body did not arrive within ${LONGEST_MS / 1000} s`);
      }
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new RequestError('InvalidContent', `the body could not be read: ${(cause as Error).message}`, { cause });
  } finally {
    if (source !== request) {
      request.unpipe();
      source.destroy();
    }
  }
  return Buffer.concat(chunks);
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
