/** Removing deleted images for good: because somebody asks for it, or because their time has come. */
import { imageNotFound } from '#lib/api/errors/api-error.ts';
import type { Query } from '#lib/documents/store.ts';
import { retryOnConflict, unlessChanged } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';
import type { ChangeRequest } from '../record/change.ts';
import { normalized, type StoredImage } from '../record/load.ts';
import { putRecord } from '../record/record-write.ts';
import { finishOwnDelete, IS_TOMBSTONE } from '../record/tombstones.ts';
import { findDeleted, restoredRecord, unkept } from './kept.ts';

/** @throws 404 if there is no such deleted image, or not the caller's; 412 */
export async function purgeDeleted(
  service: Service,
  { uuid, viewer, condition }: Pick<ChangeRequest, 'uuid' | 'viewer' | 'condition'>,
): Promise<void> {
  await retryOnConflict(async () => {
    const deleted = await findDeleted(service, uuid, viewer);
    if (!deleted) throw imageNotFound(uuid);
    condition?.({ ...deleted.stored, value: restoredRecord(deleted, service.store.now()) });
    await giveUp(service, deleted.stored);
  });
  service.log.info({ image: uuid }, 'deleted image purged');
  await finishOwnDelete(service, uuid);
}

/** The periodic task: removes what can be restored no longer. Returns how many there were. */
export async function purgeExpired(service: Service): Promise<number> {
  let count = 0;
  const now = new Date(service.store.now()).toISOString();
  const query: Query = { filter: { op: 'and', of: [IS_TOMBSTONE, { op: 'le', field: 'expires_at', value: now }] } };
  await forEachInTurn(service.store.scan(IMAGES, query), (found) =>
    forEachInTurn(found, async (one) => {
      // Restored, or purged by somebody else, at this moment.
      if (!(await unlessChanged(giveUp(service, normalized(one))))) return;
      count++;
      await finishOwnDelete(service, one.key);
    }),
  );
  return count;
}

/** From here on nobody can restore it. */
async function giveUp(service: Service, { value, etag }: StoredImage): Promise<void> {
  await service.store.batch([putRecord(unkept(value), etag)], { frees: true });
}
