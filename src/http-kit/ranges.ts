/** The Range header of GetImageFile: one range of bytes, or none. */
import { ApiError } from '../../lib/api/errors/api-error.ts';

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * Undefined when the whole file is to be sent: no header, another unit, more than one range or a malformed one (a
 * server may ignore what it does not serve). @throws 416 RangeNotSatisfiable
 */
export function byteRange(header: string | undefined, size: number): ByteRange | undefined {
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

function notSatisfiable(size: number): ApiError {
  return new ApiError('RangeNotSatisfiable', `the file has ${size} bytes`, {
    headers: { 'Content-Range': `bytes */${size}` },
  });
}
