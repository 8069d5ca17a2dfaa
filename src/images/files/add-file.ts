/** AddImageFile: stores the file of an image that is not activated yet; a later upload replaces an earlier one. */
import type { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { Compression, FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Service } from '../../service/service.ts';
import { assertNotPlaceholder } from '../record/access.ts';
import type { ChangeRequest } from '../record/change.ts';
import type { StoredImage } from '../record/load.ts';
import { placeFile } from './file-placement.ts';
import { isMd5Late, recordedMd5 } from './late-md5.ts';
import { type Announced, quotaFor, receive } from './upload.ts';

export interface NewFile {
  readonly compression: Compression;
  readonly storage: ObjectStore;
  readonly datasetGuid?: string;
  readonly announced: Announced;
  /** Empty files are refused unless another IMGAPI already has one. */
  readonly allowEmpty?: boolean;
}

/** @throws 422 ImageFilesImmutable */
export function assertFilesMutable(record: ImageRecord): void {
  assertNotPlaceholder(record);
  if (record.activated) {
    throw new ApiError('ImageFilesImmutable', `image "${record.uuid}" is activated; its files cannot be changed`);
  }
}

/** Returns the image with its file. @throws what {@link receive} does; 422 ImageAlreadyActivated, 404, 409 */
export async function addFile(
  service: Service,
  request: ChangeRequest,
  file: NewFile,
  source: () => Readable,
  signal: AbortSignal,
): Promise<StoredImage> {
  const { uuid } = request;
  const target = {
    uuid,
    what: 'file0',
    storage: file.storage,
    path: imageObjectPath(uuid, 'file0'),
    limit: service.config.limits.fileBytes,
    mismatch: 'Download',
    allowEmpty: file.allowEmpty ?? false,
    lateMd5: file.announced.contentMd5 === undefined && isMd5Late(service, file.announced.contentLength),
    quota: await quotaFor(service, request, 'file'),
  } as const;
  return receive(service, target, source, file.announced, signal, ({ session, size, hashes }) => {
    const stored: FileRecord = {
      sha1: hashes.sha1,
      sha256: hashes.sha256,
      size,
      ...recordedMd5(hashes),
      mtime: new Date(service.store.now()).toISOString(),
      stor: file.storage.name,
      compression: file.compression,
      ...(file.datasetGuid !== undefined && { dataset_guid: file.datasetGuid }),
    };
    return placeFile(service, { uuid, by: request, session, file: stored, kind: 'file', guard: assertStillOpen });
  });
}

/** The image may have been activated during the upload. */
export function assertStillOpen({ activated, uuid }: ImageRecord): void {
  if (!activated) return;
  throw new ApiError('ImageAlreadyActivated', `image "${uuid}" was activated while its file was being uploaded`);
}
