/** Beginning an upload that survives its connection, looking at it, and giving it up. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Upload } from '#lib/api/schemas/upload.ts';
import { isHeld } from '#lib/documents/lease.ts';
import type { Stored } from '#lib/documents/store.ts';
import { retryOnConflict, unlessChanged } from '#lib/documents/update.ts';
import type { Compression, ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { quotaFor } from '../files/upload.ts';
import type { ChangeRequest } from '../record/change.ts';
import { loadRaw } from '../record/load.ts';
import { prefixOf, sessionOf, sessionsOf, UPLOAD_SESSIONS, type UploadDocument } from './model.ts';
import { holdRoom, releaseRoom } from './room.ts';

/** The file to come. */
export interface NewUpload {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha1: string;
  readonly compression: Compression;
  readonly storage: ObjectStore;
  readonly datasetGuid?: string;
}

export type StoredUpload = Stored<UploadDocument>;

/**
 * The upload of the file, which may have begun before: whoever asks again for the same bytes gets the same upload. Other
 * bytes take the place of an upload to which nobody sends anything.
 * @throws 400 Upload (too large), 403 QuotaExceeded, 409 UploadInProgress, 507 InsufficientStorage
 */
export async function beginUpload(
  service: Service,
  request: ChangeRequest,
  record: ImageRecord,
  file: NewUpload,
): Promise<{ readonly upload: UploadDocument; readonly isNew: boolean }> {
  await assertFits(service, file);
  const quota = await quotaFor(service, request, 'file');
  return retryOnConflict(async () => {
    const before = await service.store.get(UPLOAD_SESSIONS, record.uuid);
    if (before && isSame(before.value, record, file)) return { upload: before.value, isNew: false };
    if (before) assertIdle(service, before.value);
    const upload = newUpload(service, record, file);
    const session = sessionOf(upload, upload.attempt);
    const { account, replaced } = quota;
    const bytes = file.size - replaced;
    await holdRoom(service, { owner: record.owner, account, bytes, upload: prefixOf(upload), session });
    const write = { op: 'put', bucket: UPLOAD_SESSIONS, key: record.uuid, value: upload } as const;
    try {
      await service.store.batch([{ ...write, ifEtag: before?.etag ?? null }]);
    } catch (error) {
      await releaseRoom(service, record.owner, prefixOf(upload));
      throw error;
    }
    if (before) await removeStaged(service, before.value);
    return { upload, isNew: true };
  });
}

/** @throws 404, also for an upload that began when the image had another owner */
export async function findUpload(service: Service, record: ImageRecord, id: string): Promise<StoredUpload> {
  const found = await service.store.get(UPLOAD_SESSIONS, record.uuid);
  if (found && found.value.id === id && found.value.owner === record.owner) return found;
  throw uploadNotFound(record.uuid, id);
}

/** Nothing of it is left; who is sending to it fails. @throws 404 */
export async function giveUpUpload(service: Service, record: ImageRecord, id: string): Promise<void> {
  const removed = await retryOnConflict(async () => {
    const found = await findUpload(service, record, id);
    await service.store.batch([{ op: 'del', bucket: UPLOAD_SESSIONS, key: found.key, ifEtag: found.etag }]);
    return found.value;
  });
  await removeStaged(service, removed);
}

/** Uploads to which nobody has sent anything for too long, or whose image is none that could take a file. */
export async function expireUploads(service: Service): Promise<number> {
  const { store, config } = service;
  let count = 0;
  for await (const found of store.scan(UPLOAD_SESSIONS, {})) {
    for (const { key, value, etag } of found) {
      const now = store.now();
      if (isHeld(value.lease, now)) continue;
      const isOld = value.touched + config.uploads.keepSeconds * 1000 <= now;
      if (!isOld && (await waitsForFile(service, value))) continue;
      const isOurs = await unlessChanged(store.batch([{ op: 'del', bucket: UPLOAD_SESSIONS, key, ifEtag: etag }]));
      if (!isOurs) continue;
      await removeStaged(service, value);
      count++;
    }
  }
  return count;
}

async function waitsForFile(service: Service, { image, owner }: UploadDocument): Promise<boolean> {
  const record = (await loadRaw(service, image))?.value;
  return record !== undefined && record.state !== 'deleting' && !record.activated && record.owner === owner;
}

/** As callers see it. */
export function shownUpload(service: Service, upload: UploadDocument): Upload {
  const { id, image, size, offset, sha1, compression, created_at, touched } = upload;
  const expires = new Date(touched + service.config.uploads.keepSeconds * 1000).toISOString();
  return { uuid: id, image_uuid: image, size, offset, sha1, compression, created_at, expires_at: expires };
}

export function uploadNotFound(image: string, id: string): ApiError {
  return new ApiError('ResourceNotFound', `image "${image}" has no upload "${id}"; it may have ended`);
}

export function uploadBusy(image: string): ApiError {
  return new ApiError('UploadInProgress', `another request is sending the file of image "${image}" right now`, {
    headers: { 'Retry-After': '5' },
  });
}

/** Also what a request that is just beginning may have staged. What fails is swept later. */
export async function removeStaged(service: Service, upload: UploadDocument): Promise<void> {
  const sessions = sessionsOf(upload);
  for (const session of sessions) {
    await service.storages
      .find(upload.stor)
      ?.discard(session)
      .catch((err: unknown) => service.log.warn({ err, session }, 'could not remove what an upload has staged'));
  }
  await releaseRoom(service, upload.owner, prefixOf(upload));
}

async function assertFits(service: Service, { size, storage }: NewUpload): Promise<void> {
  const limit = service.config.limits.fileBytes;
  if (size > limit) throw new ApiError('Upload', `file0 has ${size} bytes; at most ${limit} are allowed`);
  const free = await storage.free();
  if (free === undefined || free >= size) return;
  throw new ApiError('InsufficientStorage', `the object store has no room for ${size} bytes`);
}

function newUpload(service: Service, record: ImageRecord, file: NewUpload): UploadDocument {
  const { size, sha1, compression, storage, datasetGuid } = file;
  const now = service.store.now();
  return {
    image: record.uuid,
    id: newUuid(),
    ...(record.owner !== undefined && { owner: record.owner }),
    ...{ size, sha1, compression, stor: storage.name, offset: 0, attempt: 0 },
    ...(datasetGuid !== undefined && { dataset_guid: datasetGuid }),
    ...{ created_at: new Date(now).toISOString(), touched: now, rev: 1 },
  };
}

function isSame(upload: UploadDocument, { owner }: ImageRecord, file: NewUpload): boolean {
  return (
    upload.owner === owner &&
    upload.size === file.size &&
    upload.sha1 === file.sha1 &&
    upload.compression === file.compression &&
    upload.stor === file.storage.name &&
    upload.dataset_guid === file.datasetGuid
  );
}

function assertIdle(service: Service, upload: UploadDocument): void {
  if (isHeld(upload.lease, service.store.now())) throw uploadBusy(upload.image);
}
