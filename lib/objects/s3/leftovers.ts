/**
 * What dead processes left in the bucket and the register knows nothing of: an upload whose process died before it could
 * enter it, and staged objects that were written while others ended their session. Uploads are found where the store
 * lists them; elsewhere such an upload, which has no part yet, stays.
 */
import type { Clock } from '../../runtime/clock.ts';
import { InvalidSessionNameError } from '../errors.ts';
import type { SessionInfo } from '../object-store.ts';
import type { S3Calls } from './calls.ts';
import { deleteObject, listKeys } from './objects.ts';
import { isMissing } from './s3-error.ts';
import type { Staging } from './staging.ts';
import { abortUpload, listParts, listUploads } from './uploads.ts';

/** Milliseconds after which nobody can still be about to enter an upload in the register. */
const LEFT_AFTER = 3_600_000;

/** No session has such a name. */
const UPLOAD = '~upload/';
const OBJECT = '~object/';

export async function findLeftovers(
  calls: S3Calls,
  staging: Staging,
  clock: Clock,
  age = LEFT_AFTER,
): Promise<SessionInfo[]> {
  const { keys, register } = staging;
  const isOld = (time: Date): boolean => clock.now() - time.getTime() > age;
  const uploads = (await listUploads(calls, keys.all)).filter(({ begun }) => isOld(begun));
  const objects: SessionInfo[] = [];
  for await (const page of listKeys(calls, keys.staging)) {
    for (const { key, size, mtime } of page.keys) {
      if (isOld(mtime)) objects.push({ session: `${OBJECT}${key}`, size, mtime });
    }
  }
  if (uploads.length + objects.length === 0) return [];
  // Looked up after listing: whatever is entered meanwhile was not listed.
  const known = new Set<string>();
  for await (const { session, state } of register.list()) {
    known.add(session);
    for (const upload of [state.upload, state.copy]) {
      if (upload) known.add(`${UPLOAD}${upload.id}`);
    }
  }
  const left: SessionInfo[] = objects.filter(({ session }) => !known.has(keys.sessionOf(session.slice(OBJECT.length))));
  for (const upload of uploads) {
    if (known.has(`${UPLOAD}${upload.id}`)) continue;
    const parts = await listParts(calls, upload).catch(noneIfGone);
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    left.push({ session: `${UPLOAD}${upload.id}/${upload.key}`, size, mtime: upload.begun });
  }
  return left;
}

/** @throws InvalidSessionNameError for a name that is none of a leftover */
export async function removeLeftover(calls: S3Calls, staging: Staging, name: string): Promise<void> {
  if (name.startsWith(`${OBJECT}${staging.keys.staging}`)) {
    await deleteObject(calls, name.slice(OBJECT.length));
    return;
  }
  const [, id, key] = /^~upload\/([^/]+)\/(.+)$/s.exec(name) ?? [];
  if (id === undefined || !key?.startsWith(staging.keys.all)) throw new InvalidSessionNameError(name);
  await abortUpload(calls, { key, id });
}

function noneIfGone(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}
