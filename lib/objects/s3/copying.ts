/** Copies that the store makes by itself. */
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { ObjectNotFoundError } from '../errors.ts';
import type { S3Calls } from './calls.ts';
import { type FoundObject, markOf } from './objects.ts';
import { isMissing } from './s3-error.ts';
import { completeUpload, copyPart, copySource, createUpload, type Part, type UploadId } from './uploads.ts';

const PARTS_AT_ONCE = 4;

export interface CopyPlan {
  readonly from: string;
  readonly to: string;
  readonly source: FoundObject;
  /** Noted with the copy. */
  readonly session: string;
  /** Is told of an upload before anything is in it, so that somebody can abort it if this process dies. */
  readonly onUpload: (upload: UploadId) => Promise<void>;
}

/** Replaces `to` in one step. @throws ObjectNotFoundError if the source goes meanwhile */
export async function copyWithin(calls: S3Calls, plan: CopyPlan): Promise<void> {
  try {
    if (plan.source.size <= calls.limits.copy) await copyWhole(calls, plan);
    else await copyInParts(calls, plan);
  } catch (error) {
    throw isMissing(error) ? new ObjectNotFoundError(plan.from, { cause: error }) : error;
  }
}

async function copyWhole(calls: S3Calls, { from, to, source, session }: CopyPlan): Promise<void> {
  const command = new CopyObjectCommand({
    Bucket: calls.bucket,
    Key: to,
    CopySource: copySource(calls, from),
    MetadataDirective: 'REPLACE',
    Metadata: markOf(session),
  });
  await calls.call('CopyObject', (client, send) => client.send(command, send), { slow: true, needed: source.size });
}

async function copyInParts(calls: S3Calls, { from, to, source, session, onUpload }: CopyPlan): Promise<void> {
  const upload = await createUpload(calls, to, session);
  await onUpload(upload);
  const parts = await copyRange(calls, upload, { from, first: 1, until: source.size });
  if (!(await completeUpload(calls, upload, parts, session))) throw new ObjectNotFoundError(from);
}

/**
 * Copies the first `until` bytes of an object into an upload, as parts from number `first` on.
 * @param until not less than the smallest part, unless nothing follows
 */
async function copyRange(
  calls: S3Calls,
  upload: UploadId,
  {
    from,
    first,
    until,
    signal,
  }: {
    readonly from: string;
    readonly first: number;
    readonly until: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Part[]> {
  const count = Math.max(1, Math.ceil(until / calls.limits.copyPart));
  // Of equal sizes, so that the last one is not too small for another to follow.
  const size = Math.ceil(until / count);
  const parts: Part[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      const range = { from, start: at * size, end: Math.min(until, (at + 1) * size) - 1 };
      parts.push(await copyPart(calls, upload, first + at, range, { signal }));
    }
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
  return parts.sort((a, b) => a.number - b.number);
}
