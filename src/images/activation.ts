/** ActivateImage, EnableImage, DisableImage. Once activated, an image never goes back. */
import type { ImageRecord, StoredState } from '#lib/manifest/record.ts';
import { ApiError } from '../../lib/api/errors/api-error.ts';
import type { Service } from '../service/service.ts';
import { assertNoFilePlacement } from './files/file-placement.ts';
import { assertNotPlaceholder } from './record/access.ts';

/** The record, activated; an imported image keeps its `published_at`. @throws 422, 409 */
export function activated(service: Service, record: ImageRecord): ImageRecord {
  assertNotPlaceholder(record);
  if (record.activated) throw new ApiError('ImageAlreadyActivated', `image "${record.uuid}" is activated already`);
  assertNoFilePlacement(record);
  if (!record.files?.length) {
    throw new ApiError('NoActivationNoFile', `image "${record.uuid}" has no file; add one before activating it`);
  }
  const { expires_at, error, ...rest } = record;
  return withState({
    ...rest,
    activated: true,
    published_at: record.published_at ?? new Date(service.storeClock.now()).toISOString(),
  });
}

export function withDisabled(record: ImageRecord, disabled: boolean): ImageRecord {
  assertNotPlaceholder(record);
  return withState({ ...record, disabled });
}

/** `state` follows from the two flags, in the record as well as in answers. */
function withState(record: ImageRecord): ImageRecord {
  const state: StoredState = !record.activated ? 'unactivated' : record.disabled ? 'disabled' : 'active';
  return { ...record, state };
}
