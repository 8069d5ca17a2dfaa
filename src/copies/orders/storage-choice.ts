/** Which object store takes the bytes of a copy, and whether they fit. */
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { ApiError } from '../../../lib/api/errors/api-error.ts';
import type { Service } from '../../service/service.ts';
import type { Incoming } from './placeholder.ts';

/** Manta where there is one; the admin's images stay local. */
export function storeForOwner({ storages, config }: Service, owner: string | undefined): ObjectStore {
  return owner !== undefined && owner === config.adminUuid ? storages.local : (storages.manta ?? storages.local);
}

/**
 * Says so before anything is recorded; the store itself reserves the room when the bytes begin to come.
 * @throws 507 InsufficientStorage
 */
export async function assertRoomFor(service: Service, incoming: readonly Incoming[]): Promise<void> {
  const byStore = Map.groupBy(incoming, ({ record }) => storeForOwner(service, record.owner));
  for (const [store, images] of byStore) {
    const needed = images.reduce((sum, { file }) => sum + file.size, 0);
    const free = await store.free();
    if (free === undefined || needed <= free) continue;
    throw new ApiError(
      'InsufficientStorage',
      `${needed} bytes are to come, and the object store "${store.name}" has room for ${free}`,
    );
  }
}
