/** Removes what a copy left here: the placeholder, its transfer and its bytes. */

import type { StoredImage } from '../../images/record/load.ts';
import { deleteRecord } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import { deleteTransfer, TRANSFERS, type Transfer } from '../documents/model.ts';
import { byteLinkPath, iconSessionOf, sessionOf } from '../documents/staging.ts';

/** @throws EtagConflictError if the placeholder or its transfer changed since it was read */
export async function removePlaceholder(service: Service, stored: StoredImage): Promise<void> {
  const transfer = await service.store.get(TRANSFERS, stored.key);
  await deleteRecord(service, stored, transfer && [deleteTransfer(transfer)]);
  if (transfer) await discardStaging(service, transfer.value);
}

/**
 * Removes the staged bytes of all attempts that may still have any, so that a worker that is still running cannot place
 * them. A failure does no harm: the sweeper removes the staging later.
 */
export async function discardStaging(service: Service, transfer: Transfer): Promise<void> {
  const sessions = new Set([
    sessionOf(transfer, transfer.attempt),
    iconSessionOf(transfer, transfer.attempt),
    ...(transfer.staged === undefined ? [] : [transfer.staged]),
  ]);
  for (const storage of service.storages) {
    const removals = [...sessions].map((session) => storage.discard(session));
    const results = await Promise.allSettled([...removals, storage.remove(byteLinkPath(transfer, transfer.attempt))]);
    for (const result of results) {
      if (result.status === 'rejected') service.log.warn({ err: result.reason, image: transfer.image }, 'staging left');
    }
  }
}
