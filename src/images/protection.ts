/** ProtectImage and UnprotectImage: a protected image is not deleted, by whomever, until its protection is lifted. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../service/service.ts';
import { type ChangeRequest, changeImage } from './record/change.ts';
import type { StoredImage } from './record/load.ts';

/** Writes nothing if it is as wanted. */
export function setProtected(
  service: Service,
  request: ChangeRequest,
  { isProtected }: { readonly isProtected: boolean },
): Promise<StoredImage> {
  return changeImage(service, request, (record) => {
    const { protected: now = false, ...rest } = record;
    if (now === isProtected) return undefined;
    return isProtected ? { ...rest, protected: true } : rest;
  });
}

/** @throws 409 ImageProtected */
export function assertNotProtected({ uuid, name, version, protected: isProtected = false }: ImageRecord): void {
  if (!isProtected) return;
  throw new ApiError(
    'ImageProtected',
    `image "${uuid}" (${name} ${version}) is protected from deletion; lift that first (action=unprotect)`,
  );
}
