/** ActivateImage, EnableImage, DisableImage. Activation cannot be undone. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../service/service.ts';
import { assertFilePlacementSettled, assertNoFilePlacement } from './files/file-placement.ts';
import { type ChangeRequest, changeImage } from './record/change.ts';
import type { StoredImage } from './record/load.ts';
import { withState } from './record/state.ts';

/** An imported image keeps its `published_at`. @throws 422 ImageAlreadyActivated, 422 NoActivationNoFile, 409 */
export async function activateImage(service: Service, request: ChangeRequest): Promise<StoredImage> {
  await assertFilePlacementSettled(service, request.uuid);
  return changeImage(service, request, (record) => activated(service, record));
}

/** EnableImage and DisableImage. @throws 409 */
export async function setDisabled(
  service: Service,
  request: ChangeRequest,
  { disabled }: { readonly disabled: boolean },
): Promise<StoredImage> {
  await assertFilePlacementSettled(service, request.uuid);
  return changeImage(service, request, (record) => withState({ ...record, disabled }));
}

function activated(service: Service, record: ImageRecord): ImageRecord {
  if (record.activated) throw new ApiError('ImageAlreadyActivated', `image "${record.uuid}" is already activated`);
  assertNoFilePlacement(record);
  if (!record.files?.length) {
    throw new ApiError('NoActivationNoFile', `image "${record.uuid}" has no file; add one before activating it`);
  }
  const { expires_at, error, ...rest } = record;
  return withState({
    ...rest,
    activated: true,
    published_at: record.published_at ?? new Date(service.store.now()).toISOString(),
  });
}
