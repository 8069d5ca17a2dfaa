/** Multipart uploads: the calls. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { CallOptions, S3Calls } from './calls.ts';
import { headObject, markOf } from './objects.ts';
import { assertDone, isMissing, isNotImplemented, S3Error } from './s3-error.ts';

/** Smallest part that may be followed by another. */
export const LEAST_PART = 5 * 1024 * 1024;

export interface UploadId {
  readonly key: string;
  readonly id: string;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
}

/** @param session is noted with the object */
export async function createUpload(calls: S3Calls, key: string, session: string, options?: CallOptions) {
  const command = new CreateMultipartUploadCommand({ Bucket: calls.bucket, Key: key, Metadata: markOf(session) });
  const { UploadId: id } = await calls.call(
    'CreateMultipartUpload',
    (client, send) => client.send(command, send),
    options,
  );
  if (id === undefined) throw new S3Error('CreateMultipartUpload', 'no id in the answer', undefined, {});
  return { key, id };
}

export async function uploadPart(
  calls: S3Calls,
  { key, id }: UploadId,
  number: number,
  bytes: Uint8Array,
  options: CallOptions = {},
): Promise<Part> {
  const command = new UploadPartCommand({
    Bucket: calls.bucket,
    Key: key,
    UploadId: id,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.length,
  });
  const { ETag = '' } = await calls.call('UploadPart', (client, send) => client.send(command, send), {
    needed: bytes.length,
    ...options,
  });
  assertDone('UploadPart', ETag);
  return { number, etag: ETag, size: bytes.length };
}

/** The store itself takes a part from another object. @param end the last byte */
export async function copyPart(
  calls: S3Calls,
  { key, id }: UploadId,
  number: number,
  { from, start, end }: { readonly from: string; readonly start: number; readonly end: number },
  options: CallOptions = {},
): Promise<Part> {
  const command = new UploadPartCopyCommand({
    Bucket: calls.bucket,
    Key: key,
    UploadId: id,
    PartNumber: number,
    CopySource: copySource(calls, from),
    CopySourceRange: `bytes=${start}-${end}`,
  });
  const size = end + 1 - start;
  const { CopyPartResult } = await calls.call('UploadPartCopy', (client, send) => client.send(command, send), {
    slow: true,
    needed: size,
    ...options,
  });
  assertDone('UploadPartCopy', CopyPartResult?.ETag);
  return { number, etag: CopyPartResult?.ETag ?? '', size };
}

/** How a key is named as the source of a copy. */
export function copySource({ bucket }: S3Calls, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Parts that have arrived, in order. @throws S3Error NoSuchUpload */
export async function listParts(calls: S3Calls, { key, id }: UploadId): Promise<Part[]> {
  const parts: Part[] = [];
  for (let marker: string | undefined; ; ) {
    const command = new ListPartsCommand({
      Bucket: calls.bucket,
      Key: key,
      UploadId: id,
      ...(marker !== undefined && { PartNumberMarker: marker }),
    });
    const page = await calls.call('ListParts', (client, send) => client.send(command, send));
    for (const { PartNumber = 0, ETag = '', Size = 0 } of page.Parts ?? []) {
      parts.push({ number: PartNumber, etag: ETag, size: Size });
    }
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    if (marker === undefined) return parts.sort((a, b) => a.number - b.number);
  }
}

/**
 * Puts the parts together under the upload's key. An upload that is not there any more may be complete already, because
 * an answer was lost.
 * @returns false if it was aborted
 */
export async function completeUpload(
  calls: S3Calls,
  { key, id }: UploadId,
  parts: readonly Part[],
  session: string,
): Promise<boolean> {
  const command = new CompleteMultipartUploadCommand({
    Bucket: calls.bucket,
    Key: key,
    UploadId: id,
    MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
  });
  try {
    const { Key, ETag } = await calls.call('CompleteMultipartUpload', (client, send) => client.send(command, send), {
      slow: true,
    });
    // Ceph leaves the tag empty.
    assertDone('CompleteMultipartUpload', Key ?? ETag);
    return true;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return (await headObject(calls, key))?.session === session;
  }
}

/** One that is complete or aborted already is no error. */
export async function abortUpload(calls: S3Calls, { key, id }: UploadId, options?: CallOptions): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: calls.bucket, Key: key, UploadId: id });
  try {
    await calls.call('AbortMultipartUpload', (client, send) => client.send(command, send), options);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Uploads that the store knows of; some stores list none, or cannot list them at all. */
export async function listUploads(calls: S3Calls, prefix: string): Promise<(UploadId & { readonly begun: Date })[]> {
  const found: (UploadId & { readonly begun: Date })[] = [];
  let marker: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined;
  try {
    do {
      const command = new ListMultipartUploadsCommand({ Bucket: calls.bucket, Prefix: prefix, ...marker });
      const page = await calls.call('ListMultipartUploads', (client, send) => client.send(command, send));
      for (const { Key = '', UploadId: id = '', Initiated = new Date() } of page.Uploads ?? []) {
        found.push({ key: Key, id, begun: Initiated });
      }
      const { NextKeyMarker: KeyMarker = '', NextUploadIdMarker: UploadIdMarker = '' } = page;
      marker = page.IsTruncated && KeyMarker !== '' ? { KeyMarker, UploadIdMarker } : undefined;
    } while (marker);
  } catch (error) {
    if (!isNotImplemented(error)) throw error;
  }
  return found;
}
