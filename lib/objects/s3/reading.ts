/** Opens an object for reading, with one request in the usual case. */
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { ObjectNotFoundError, ObjectTruncatedError } from '../errors.ts';
import type { ByteSource, ObjectInfo, ReadOptions } from '../object-store.ts';
import { ObjectStream } from '../object-stream.ts';
import { boundsOf } from '../range.ts';
import type { S3Calls } from './calls.ts';
import { headObject } from './objects.ts';
import { assertDone, isCode, isMissing, S3Error } from './s3-error.ts';

export async function openObject(
  calls: S3Calls,
  key: string,
  path: string,
  options: ReadOptions,
): Promise<{ info: ObjectInfo; stream: ByteSource }> {
  const { start = 0, end, signal } = options;
  const isWhole = start === 0 && end === undefined;
  if (!isReasonable(start, end)) return openEmpty(calls, key, path, options);
  const command = new GetObjectCommand({
    Bucket: calls.bucket,
    Key: key,
    ...(!isWhole && { Range: `bytes=${start}-${end ?? ''}` }),
  });
  try {
    const found = await calls.call('GetObject', (client, send) => client.send(command, send), { signal });
    const { ContentLength = 0, ContentRange, ETag: etag = '', LastModified: mtime = new Date(0) } = found;
    const body = bodyFrom(found, start);
    const size = sizeOf(ContentRange) ?? ContentLength;
    const bounds = boundsOf(path, size, options);
    return { info: { path, size, mtime }, stream: streamOf(calls, { key, path, etag, body, ...bounds }) };
  } catch (error) {
    if (isMissing(error)) throw new ObjectNotFoundError(path, { cause: error });
    if (isCode(error, 'InvalidRange') || (error instanceof S3Error && error.status === 416)) {
      return openEmpty(calls, key, path, options);
    }
    throw error;
  }
}

interface Found {
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly start: number;
  readonly until: number;
  readonly body: Readable;
}

function streamOf(calls: S3Calls, { key, path, etag, start, until, body }: Found): ObjectStream {
  const truncated = (at: number, cause: unknown): Error =>
    new ObjectTruncatedError(path, until - start, at - start, { cause });
  return new ObjectStream({
    ...{ start, until, body },
    idle: calls.limits.idle,
    backoff: calls.limits.backoff,
    async open(at, signal) {
      const Range = `bytes=${at}-${until - 1}`;
      const command = new GetObjectCommand({ Bucket: calls.bucket, Key: key, Range, IfMatch: etag });
      const rest = await calls.call('GetObject', (client, send) => client.send(command, send), { signal });
      return bodyFrom(rest, at);
    },
    failure(cause, at) {
      if (cause instanceof S3Error) return GONE.has(cause.status ?? 0) ? truncated(at, cause) : cause;
      // Lines that break say nothing of what is stored.
      const { message } = cause as Error;
      return new S3Error('GetObject', `the answer ended ${until - at} bytes early: ${message}`, undefined, { cause });
    },
  });
}

/** What the store says of an object that is not the one any more whose first bytes were read. */
const GONE: ReadonlySet<number> = new Set([404, 412, 416]);

/** Whoever ignores a range sends all bytes, and they must not be taken for those that were asked for. @throws S3Error */
function bodyFrom({ Body, ContentRange = '', ETag: etag }: GetObjectCommandOutput, start: number): Readable {
  if (!(Body instanceof Readable)) throw new S3Error('GetObject', 'no body in the answer', undefined, {});
  if (!etag) Body.destroy();
  assertDone('GetObject', etag);
  const [, first = '0'] = /^bytes (\d+)-/.exec(ContentRange) ?? [];
  if (Number(first) === start) return Body;
  Body.destroy();
  throw new S3Error('GetObject', `the answer begins at ${first}, not at ${start}`, undefined, {});
}

/** A range that S3 refuses: right only if it is the start of an object without bytes. @throws InvalidRangeError */
async function openEmpty(calls: S3Calls, key: string, path: string, options: ReadOptions) {
  const found = await headObject(calls, key, { signal: options.signal });
  if (!found) throw new ObjectNotFoundError(path);
  boundsOf(path, found.size, options);
  return { info: { path, size: found.size, mtime: found.mtime }, stream: Readable.from([]) };
}

/** Whether S3 takes it as a range; it ignores nonsense, and gives the whole object. */
function isReasonable(start: number, end = Number.POSITIVE_INFINITY): boolean {
  return Number.isSafeInteger(start) && start >= 0 && end >= start;
}

/** Of `bytes 0-9/100`. */
function sizeOf(range: string | undefined): number | undefined {
  const [, size] = /\/(\d+)$/.exec(range ?? '') ?? [];
  return size === undefined ? undefined : Number(size);
}
