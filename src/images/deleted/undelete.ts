/** UndeleteImage: an image that was deleted is there again, with all that it had. */
import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import { UniqueAttributeError } from '#lib/documents/errors.ts';
import type { Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { rememberClone } from '../cloning/cloned.ts';
import { changesBetween } from '../events/changes.ts';
import { causeOf, eventWrites } from '../events/event.ts';
import { recoverPlacement } from '../files/file-placement.ts';
import { mayChange, type Viewer } from '../record/access.ts';
import { assertStaysServed, type ChangeRequest } from '../record/change.ts';
import { assertNoCycle } from '../record/cycles.ts';
import { isServed, loadRaw, type StoredImage } from '../record/load.ts';
import { oneAtATime } from '../record/one-at-a-time.ts';
import { putRecord, touchOrigin } from '../record/record-write.ts';
import { relationOf } from '../record/references.ts';
import { type Deleted, findDeleted, restoredRecord } from './kept.ts';

const IS_GONE = 'is not here any more; import it first';

/**
 * @throws 404 if there is no such deleted image, or not the caller's; 422 OriginDoesNotExist until its origin is here
 * again; 412
 */
export async function undeleteImage(service: Service, request: ChangeRequest): Promise<StoredImage> {
  const { uuid, viewer } = request;
  await retryOnConflict(async () => {
    const deleted = await findDeleted(service, uuid, viewer);
    if (!deleted) throw imageNotFound(uuid);
    const record = restoredRecord(deleted, service.store.now());
    request.condition?.({ ...deleted.stored, value: record });
    assertStaysServed(service, record);
    await oneAtATime(service, record.origin ?? uuid, () => write(service, request, deleted, record));
  });
  await service.faults.reach('undelete:recorded');
  const stored = await loadRaw(service, uuid);
  const settled = stored && (await recoverPlacement(service, stored));
  if (!settled || !isServed(service, settled)) {
    throw new ApiError('Conflict', `image "${uuid}" was deleted right after it was restored`);
  }
  service.log.info({ image: uuid, owner: settled.value.owner }, 'image restored');
  return settled;
}

async function write(
  service: Service,
  { viewer, requestId }: ChangeRequest,
  { stored, kept }: Deleted,
  record: ImageRecord,
): Promise<void> {
  const told = eventWrites(
    service,
    record,
    causeOf({ account: viewer.account, requestId }),
    changesBetween(stored.value, record),
  );
  const origin = await originWrites(service, record, viewer, kept.lacks_origin ?? false);
  const also = await rememberClone(service, record);
  await service.store.batch([putRecord(record, stored.etag), ...origin, ...also, ...told]).catch((error: unknown) => {
    if (!(error instanceof UniqueAttributeError) || error.field !== 'urn') throw error;
    throw validationFailed('urn', `another image has the urn "${record.urn}" by now`);
  });
}

/** Its origin cannot be deleted in the same moment. @param mayBeAbsent it was not here when the image was deleted */
async function originWrites(
  service: Service,
  { uuid, origin }: ImageRecord,
  viewer: Viewer,
  mayBeAbsent: boolean,
): Promise<readonly Write[]> {
  if (origin === undefined) return [];
  const found = await loadRaw(service, origin);
  if (found && found.value.state !== 'deleting') {
    // Another image may have that UUID by now, of which the caller must not even learn.
    if ((await relationOf(service, found.value, viewer)) === 'none') throw originGone(uuid, origin, IS_GONE);
    await assertNoCycle(service, [uuid], origin);
    return [await touchOrigin(service, origin, viewer)];
  }
  if (mayBeAbsent) return [];
  const kept = found?.value.kept;
  const what = kept && mayChange(kept.record, viewer) ? 'was deleted as well; restore that one first' : IS_GONE;
  throw originGone(uuid, origin, what);
}

function originGone(uuid: string, origin: string, what: string): ApiError {
  return new ApiError('OriginDoesNotExist', `image "${uuid}" builds on image "${origin}", which ${what}`);
}
