/** Reads objects. */
import { InvalidRangeError, ObjectNotFoundError } from '../errors.ts';
import type { ObjectInfo, ReadOptions } from '../object-store.ts';
import { boundsOf } from '../range.ts';
import type { BytesAnswer } from './bytes.ts';
import { isAbsent, MantaError } from './failure.ts';
import { getObject, type Manta } from './manta.ts';
import { ObjectStream } from './object-stream.ts';

export interface Opened {
  readonly info: ObjectInfo;
  readonly stream: ObjectStream;
}

/** @throws ObjectNotFoundError, InvalidRangeError */
export async function openObject(manta: Manta, path: string, options: ReadOptions): Promise<Opened> {
  const place = manta.layout.resolve(path);
  const answer = await answerTo(manta, path, place, options);
  const { headers, body } = answer;
  try {
    if (headers['content-type']?.includes('type=directory')) throw new ObjectNotFoundError(path);
    const size = sizeOf(answer);
    const { start, until } = boundsOf(path, size, options);
    const info = { path, size, mtime: new Date(headers['last-modified'] ?? 0) };
    const etag = headers.etag ?? '';
    return {
      info,
      stream: new ObjectStream(manta, { path: place, etag, start, until, body }),
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

async function answerTo(manta: Manta, path: string, place: string, options: ReadOptions): Promise<BytesAnswer> {
  const range = rangeOf(options);
  // What cannot be said in a header is refused with the object's size.
  if (range === undefined) await refuseRange(manta, path, place, options);
  try {
    const headers: Record<string, string> = range ? { range } : {};
    return await getObject(manta, place, headers, options.signal);
  } catch (error) {
    if (isAbsent(error)) throw new ObjectNotFoundError(path, { cause: error });
    if (error instanceof MantaError && error.status === 416) await refuseRange(manta, path, place, options);
    throw error;
  }
}

/** Empty for all of it, undefined if there is no such range. */
function rangeOf({ start = 0, end }: ReadOptions): string | undefined {
  const isInOrder = end === undefined || (Number.isSafeInteger(end) && end >= start);
  if (!Number.isSafeInteger(start) || start < 0 || !isInOrder) return undefined;
  return start === 0 && end === undefined ? '' : `bytes=${start}-${end ?? ''}`;
}

async function refuseRange(manta: Manta, path: string, place: string, options: ReadOptions): Promise<never> {
  const found = await manta.names.info(place);
  if (found?.type !== 'object') throw new ObjectNotFoundError(path);
  boundsOf(path, found.size, options);
  throw new InvalidRangeError(path, found.size);
}

function sizeOf({ status, headers }: BytesAnswer): number {
  const [, total] = /\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  return Number(status === 206 ? total : headers['content-length']);
}
