/** DeleteImage: the image itself, or in a channel only its membership there. */
import { EtagConflictError } from '#lib/documents/errors.ts';
import { imageNotFound } from '../../lib/api/errors/api-error.ts';
import type { Service } from '../service/service.ts';
import { forgetClone } from './cloning/cloned.ts';
import { assertNotPlaceholder, type Viewer } from './record/access.ts';
import { changeImage } from './record/change.ts';
import { isServed, loadDeletable, type StoredImage } from './record/load.ts';
import { oneAtATime } from './record/one-at-a-time.ts';
import { assertNoDependents } from './record/origins.ts';
import { putRecord } from './record/record-write.ts';
import { deleteRecord } from './record/tombstones.ts';

const TRIES = 20;

export interface DeleteRequest {
  readonly viewer: Viewer;
  /** The channel of the request; absent when there are none. */
  readonly channel: string | undefined;
  readonly forceAllChannels: boolean;
  /** Throws when the image, as it is by now, may not be deleted by the caller. */
  readonly assertMayDelete: (stored: StoredImage) => void;
}

/** @throws 422 ImageHasDependentImages */
export function deleteImage(service: Service, uuid: string, request: DeleteRequest): Promise<void> {
  return oneAtATime(service, uuid, () => deleteInTurn(service, uuid, request));
}

async function deleteInTurn(service: Service, uuid: string, request: DeleteRequest): Promise<void> {
  const { viewer, channel } = request;
  for (let attempt = 1; ; attempt++) {
    const stored = await loadDeletable(service, uuid, viewer);
    if (!stored) throw imageNotFound(uuid);
    request.assertMayDelete(stored);
    const others = stored.value.channels?.filter((name) => name !== channel) ?? [];
    const isLeaving = channel !== undefined && others.length > 0 && !request.forceAllChannels;
    // What leaves a channel stays for its dependents in others; what goes for good is missed by all of them.
    await assertNoDependents(service, stored.value, viewer, isLeaving ? channel : undefined);
    try {
      if (isLeaving) {
        const left = putRecord({ ...stored.value, channels: others }, stored.etag);
        await service.store.batch([left], { frees: true });
      } else
        await deleteRecord(service, stored, {
          also: await forgetClone(service, stored.value),
          archived: isServed(service, stored),
        });
      return;
    } catch (error) {
      // Whoever adds a child bumps this record, so the dependents are looked at again; and of two who take an image out
      // of its last two channels, the second one deletes it.
      if (!(error instanceof EtagConflictError) || attempt === TRIES) throw error;
    }
  }
}

/** `channel-add`: nothing is written when the image is in it already. */
export function addToChannel(
  service: Service,
  uuid: string,
  channel: string,
  assertMayAdd: (stored: StoredImage) => void,
): Promise<StoredImage> {
  return changeImage(service, uuid, (record, stored) => {
    assertMayAdd(stored);
    assertNotPlaceholder(record);
    if (record.channels?.includes(channel)) return undefined;
    return { ...record, channels: [...(record.channels ?? []), channel] };
  });
}
