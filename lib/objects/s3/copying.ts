/** Copies that the store makes by itself. */
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { ObjectNotFoundError } from '../errors.ts';
import type { S3Calls } from './calls.ts';
import { type FoundObject, markOf } from './objects.ts';
import { assertDone, isMissing, isNotImplemented } from './s3-error.ts';
import {
  abortUpload,
  completeUpload,
  copyPart,
  copySource,
  createUpload,
  type Part,
  type UploadId,
} from './uploads.ts';

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
    else await copyLarge(calls, plan);
  } catch (error) {
    throw isMissing(error) ? new ObjectNotFoundError(plan.from, { cause: error }) : error;
  }
}

/** A store that copies no parts may know no limit for whole objects either. */
async function copyLarge(calls: S3Calls, plan: CopyPlan): Promise<void> {
  try {
    await copyInParts(calls, plan);
  } catch (error) {
    if (!isNotImplemented(error)) throw error;
    await copyWhole(calls, plan);
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
  const { CopyObjectResult: copied } = await calls.call('CopyObject', (client, send) => client.send(command, send), {
    slow: true,
    needed: source.size,
  });
  assertDone('CopyObject', copied);
}

async function copyInParts(calls: S3Calls, { from, to, source, session, onUpload }: CopyPlan): Promise<void> {
  const upload = await createUpload(calls, to, session);
  try {
    await onUpload(upload);
    const parts = await copyRange(calls, upload, { from, until: source.size });
    if (!(await completeUpload(calls, upload, parts, session))) throw new ObjectNotFoundError(from);
  } catch (error) {
    // If the store is down, whoever was told of the upload aborts it later.
    await abortUpload(calls, upload, { once: true }).catch(() => undefined);
    throw error;
  }
}

/** Copies the first `until` bytes of an object into an upload, as parts of equal sizes. */
async function copyRange(
  calls: S3Calls,
  upload: UploadId,
  { from, until }: { readonly from: string; readonly until: number },
): Promise<Part[]> {
  const count = Math.ceil(until / calls.limits.copyPart);
  const size = Math.ceil(until / count);
  const parts: Part[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      const range = { from, start: at * size, end: Math.min(until, (at + 1) * size) - 1 };
      parts.push(await copyPart(calls, upload, at + 1, range));
    }
  };
  const stop = (error: unknown): never => {
    next = count;
    throw error;
  };
  // All have ended before the upload is aborted, or a part could come after that.
  const ended = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, () => worker().catch(stop)));
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return parts.sort((a, b) => a.number - b.number);
}
