/** Reads objects. */
import { InvalidRangeError, ObjectNotFoundError } from '../errors.ts';
import type { ObjectInfo, ReadOptions } from '../object-store.ts';
import { ObjectStream } from '../object-stream.ts';
import { boundsOf } from '../range.ts';
import type { BytesAnswer } from './bytes.ts';
import { explainManta, isAbsent, MantaError, MantaSilentError } from './failure.ts';
import { getObject, type Manta } from './manta.ts';

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
    const bounds = boundsOf(path, size, options);
    assertBegins(answer, bounds.start);
    const info = { path, size, mtime: new Date(headers['last-modified'] ?? 0) };
    return { info, stream: streamFrom(manta, place, answer, bounds) };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

interface Bounds {
  readonly start: number;
  /** Position after the last byte. */
  readonly until: number;
}

/** The bytes of an answer, and of others that go on where it breaks off. @param place in Manta */
export function streamFrom(
  manta: Manta,
  place: string,
  { headers: { etag = '' }, body }: BytesAnswer,
  { start, until }: Bounds,
): ObjectStream {
  return new ObjectStream({
    ...{ start, until, body },
    idle: manta.timeout,
    backoff: manta.retries.firstPause,
    async open(at, signal) {
      const headers = { range: `bytes=${at}-${until - 1}`, 'if-match': etag };
      const answer = await getObject(manta, place, headers, signal);
      assertBegins(answer, at);
      return answer.body;
    },
    failure(cause, at) {
      const { message } = cause as Error;
      const isTold = cause instanceof MantaError || cause instanceof MantaSilentError;
      const silent = new MantaSilentError(`the answer of Manta ended ${until - at} bytes early: ${message}`, { cause });
      return explainManta(isTold ? cause : silent, 0) as Error;
    },
  });
}

/** Whoever ignores a range sends all bytes, and they must not be taken for those that were asked for. @throws MantaSilentError */
function assertBegins({ status, headers, body }: BytesAnswer, start: number): void {
  const [, first = '0'] = (status === 206 && /^bytes (\d+)-/.exec(headers['content-range'] ?? '')) || [];
  if (Number(first) === start) return;
  body.destroy();
  throw new MantaSilentError(`the answer of Manta begins at ${first}, not at ${start}`);
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
