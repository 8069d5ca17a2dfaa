/** Whole objects by their keys: the calls that are the same for final objects and staged ones. */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { CallOptions, S3Calls } from './calls.ts';
import { assertDone, isMissing, isNotImplemented, isWithoutReason, S3Error } from './s3-error.ts';

/** Metadata that tells which session wrote an object. */
const SESSION = 'imgapi-session';
/** Keys in one DeleteObjects. */
const BATCH = 1000;
const SINGLES_AT_ONCE = 16;

export interface FoundObject {
  readonly size: number;
  readonly mtime: Date;
  readonly etag: string;
  readonly session: string | undefined;
}

export interface Listed {
  readonly keys: readonly { readonly key: string; readonly size: number; readonly mtime: Date }[];
  /** With a slash at their end; only with a delimiter. */
  readonly prefixes: readonly string[];
}

export async function headObject(calls: S3Calls, key: string, options?: CallOptions): Promise<FoundObject | undefined> {
  const command = new HeadObjectCommand({ Bucket: calls.bucket, Key: key });
  try {
    const found = await calls.call('HeadObject', (client, send) => client.send(command, send), options);
    assertDone('HeadObject', found.ETag);
    return {
      size: found.ContentLength ?? 0,
      mtime: found.LastModified ?? new Date(0),
      etag: found.ETag ?? '',
      session: found.Metadata?.[SESSION],
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (!isWithoutReason(error)) throw error;
    await hasKeysBelow(calls, key);
    throw new S3Error('HeadObject', 'AccessDenied', error.status, { cause: error });
  }
}

/** @param ifNone writes only where nothing is; 412 otherwise */
export async function putObject(
  calls: S3Calls,
  key: string,
  bytes: Uint8Array,
  { session, ifNone = false, ...options }: CallOptions & { readonly session?: string; readonly ifNone?: boolean } = {},
): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: calls.bucket,
    Key: key,
    Body: bytes,
    ContentLength: bytes.length,
    ...(session !== undefined && { Metadata: markOf(session) }),
    ...(ifNone && { IfNoneMatch: '*' }),
  });
  const { ETag: etag } = await calls.call('PutObject', (client, send) => client.send(command, send), {
    needed: bytes.length,
    ...options,
  });
  assertDone('PutObject', etag);
}

export function markOf(session: string): Record<string, string> {
  return { [SESSION]: session };
}

/** A few bytes, as a whole. @param end the last byte */
export async function getBytes(calls: S3Calls, key: string, end: number, options?: CallOptions): Promise<Uint8Array> {
  const command = new GetObjectCommand({ Bucket: calls.bucket, Key: key, Range: `bytes=0-${end}` });
  return calls.call(
    'GetObject',
    async (client, send) => {
      const { Body: body, ETag: etag } = await client.send(command, send);
      const bytes = await body?.transformToByteArray();
      assertDone('GetObject', etag);
      return bytes ?? new Uint8Array();
    },
    options,
  );
}

/** An absent one is no error. */
export async function deleteObject(calls: S3Calls, key: string, options?: CallOptions): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: calls.bucket, Key: key });
  try {
    const { $metadata: answer } = await calls.call(
      'DeleteObject',
      (client, send) => client.send(command, send),
      options,
    );
    assertDone('DeleteObject', answer.httpStatusCode === 204);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Page by page. */
export async function* listKeys(calls: S3Calls, prefix: string, delimiter?: string): AsyncGenerator<Listed> {
  for (let token: string | undefined; ; ) {
    const command = new ListObjectsV2Command({
      Bucket: calls.bucket,
      Prefix: prefix,
      ...(delimiter !== undefined && { Delimiter: delimiter }),
      ...(token !== undefined && { ContinuationToken: token }),
    });
    const page = await calls.call('ListObjectsV2', (client, send) => client.send(command, send));
    assertListed(page);
    yield {
      keys: (page.Contents ?? []).map(({ Key = '', Size = 0, LastModified = new Date(0) }) => ({
        key: Key,
        size: Size,
        mtime: LastModified,
      })),
      prefixes: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
    };
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
    if (token === undefined) return;
  }
}

export async function hasKeysBelow(calls: S3Calls, prefix: string): Promise<boolean> {
  const command = new ListObjectsV2Command({ Bucket: calls.bucket, Prefix: prefix, MaxKeys: 1 });
  const page = await calls.call('ListObjectsV2', (client, send) => client.send(command, send));
  assertListed(page);
  return (page.Contents ?? []).length > 0;
}

/** Some stores leave some of these out. */
function assertListed({ Name, KeyCount, IsTruncated }: ListObjectsV2CommandOutput): void {
  const said = [Name, KeyCount, IsTruncated];
  assertDone(
    'ListObjectsV2',
    said.some((value) => value !== undefined),
  );
}

/** In batches; one by one where the store has none. */
export async function deleteObjects(calls: S3Calls, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) {
    const batch = keys.slice(at, at + BATCH);
    try {
      await deleteBatch(calls, batch);
    } catch (error) {
      if (!isNotImplemented(error)) throw error;
      await deleteSingly(calls, batch);
    }
  }
}

async function deleteBatch(calls: S3Calls, keys: readonly string[]): Promise<void> {
  const Delete = { Objects: keys.map((Key) => ({ Key })) };
  const command = new DeleteObjectsCommand({ Bucket: calls.bucket, Delete });
  const answer = await calls.call('DeleteObjects', (client, send) => client.send(command, send));
  const { Deleted = [], Errors = [] } = answer;
  // Who says nothing of them may be no store, and has to say it of each.
  if (Deleted.length + Errors.length === 0) return deleteSingly(calls, keys);
  const [failed] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
  if (failed) throw new S3Error('DeleteObjects', failed.Code ?? 'unknown', undefined, {});
}

async function deleteSingly(calls: S3Calls, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += SINGLES_AT_ONCE) {
    await Promise.all(keys.slice(at, at + SINGLES_AT_ONCE).map((key) => deleteObject(calls, key)));
  }
}
