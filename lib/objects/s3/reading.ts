/** Opens an object for reading, with one request in the usual case. */
import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { ObjectNotFoundError } from '../errors.ts';
import type { ByteSource, ObjectInfo, ReadOptions } from '../object-store.ts';
import { boundsOf } from '../range.ts';
import type { S3Calls } from './calls.ts';
import { ObjectStream } from './object-stream.ts';
import { headObject } from './objects.ts';
import { isCode, isMissing, S3Error } from './s3-error.ts';

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
    const { Body, ContentLength = 0, ContentRange, ETag: etag = '', LastModified: mtime = new Date(0) } = found;
    if (!(Body instanceof Readable)) throw new S3Error('GetObject', 'no body in the answer', undefined, {});
    const size = sizeOf(ContentRange) ?? ContentLength;
    const info = { path, size, mtime };
    const bounds = boundsOf(path, size, options);
    if (bounds.until === bounds.start) {
      Body.resume();
      return { info, stream: Readable.from([]) };
    }
    return { info, stream: new ObjectStream({ calls, key, path, etag, body: Body, ...bounds }) };
  } catch (error) {
    if (isMissing(error)) throw new ObjectNotFoundError(path, { cause: error });
    if (isCode(error, 'InvalidRange') || (error instanceof S3Error && error.status === 416)) {
      return openEmpty(calls, key, path, options);
    }
    throw error;
  }
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
