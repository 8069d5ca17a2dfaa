/** Image icons: small pictures, replaceable in every state. */

import type { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { ICON_TYPES } from '#lib/api/imgapi/icons.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { IconRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { mediaType } from '#lib/text/media-types.ts';
import type { Service } from '../../service/service.ts';
import type { ChangeRequest } from '../record/change.ts';
import type { StoredImage } from '../record/load.ts';
import { placeFile } from './file-placement.ts';
import { recordedMd5 } from './late-md5.ts';
import { type Announced, quotaFor, receive } from './upload.ts';

export type IconType = (typeof ICON_TYPES)[number];

/** Undefined when it is not an icon type. */
export function iconType(contentType: string | undefined): IconType | undefined {
  const type = mediaType(contentType);
  return ICON_TYPES.find((known) => known === type);
}

/** @throws 400 Upload */
export function readIconType(contentType: string | undefined): IconType {
  const type = iconType(contentType);
  if (type) return type;
  throw new ApiError(
    'Upload',
    `Content-Type is "${contentType ?? ''}"; an icon must be one of ${ICON_TYPES.join(', ')}`,
  );
}

export interface NewIcon {
  readonly contentType: IconType;
  readonly storage: ObjectStore;
  readonly announced: Announced;
}

/** Returns the image with its icon. @throws what {@link receive} and the door (`change.ts`) do, 409 ImageFileBusy */
export async function addIcon(
  service: Service,
  request: ChangeRequest,
  { contentType, storage, announced }: NewIcon,
  source: () => Readable,
  signal: AbortSignal,
): Promise<StoredImage> {
  const { uuid } = request;
  const target = {
    uuid,
    what: 'icon',
    storage,
    path: imageObjectPath(uuid, 'icon'),
    limit: service.config.limits.iconBytes,
    mismatch: 'Upload',
    allowEmpty: true,
    quota: await quotaFor(service, request, 'icon'),
  } as const;
  return receive(service, target, source, announced, signal, ({ session, size, hashes }) => {
    const icon: IconRecord = {
      sha1: hashes.sha1,
      size,
      contentType,
      ...recordedMd5(hashes),
      mtime: new Date(service.store.now()).toISOString(),
      stor: storage.name,
    };
    return placeFile(service, { uuid, by: request, session, file: icon, kind: 'icon' });
  });
}
