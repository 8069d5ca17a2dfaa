/** The Range header: one range of bytes, or none. */
import type { IncomingHttpHeaders } from 'node:http';
import { includesTag } from './conditional.ts';
import { RequestError } from './request-error.ts';

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * The range to send of something with this size (in bytes), tag and date. Undefined if all of it is to be sent, for
 * instance because If-Range names another version. @throws 416 RangeNotSatisfiable
 */
export function requestedRange(
  headers: IncomingHttpHeaders,
  size: number,
  etag: string | undefined,
  lastModified: Date | undefined,
): ByteRange | undefined {
  const ifRange = headers['if-range'];
  if (typeof ifRange === 'string') {
    const isSame = (etag !== undefined && includesTag(ifRange, etag)) || ifRange === lastModified?.toUTCString();
    if (!isSame) return undefined;
  }
  return byteRange(headers.range, size);
}

/** Undefined for no header, another unit, several ranges or a malformed one: a server may ignore these. */
function byteRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '') return suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw notSatisfiable(size);
  return { start, end };
}

function suffix(length: number, size: number): ByteRange {
  if (length === 0 || size === 0) throw notSatisfiable(size);
  return { start: Math.max(0, size - length), end: size - 1 };
}

function notSatisfiable(size: number): RequestError {
  return new RequestError('RangeNotSatisfiable', `the file has ${size} bytes`, {
    headers: { 'Content-Range': `bytes */${size}` },
  });
}
