import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { loadRaw } from '../record/load.ts';
import { objectsOf } from './former-objects.ts';

/**
 * Reads objects of an image where its record says that they are. If that fails because they were moved to another store
 * after the record was read, it is done once more by the record as it is now: there is no moment in which an image
 * cannot be read. Nor is a file called damaged that only went with its image meanwhile. @throws 404; what `read` does
 */
export async function followingMoves<T>(
  service: Pick<Service, 'store'>,
  record: ImageRecord,
  read: (record: ImageRecord) => Promise<T>,
): Promise<T> {
  try {
    return await read(record);
  } catch (error) {
    const now = (await loadRaw(service, record.uuid))?.value;
    if (isOfBytes(error) && (!now || now.state === 'deleting')) throw imageNotFound(record.uuid);
    if (!now || !hasMoved(record, now)) throw error;
    return read(now);
  }
}

/** What is said of stored bytes that are not there, or fewer than they should be. */
function isOfBytes(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'FileDamaged' || error.code === 'ResourceNotFound');
}

/** Whether any object of the image lies in another store now. */
export function hasMoved(before: ImageRecord, now: ImageRecord): boolean {
  const places = new Map(objectsOf(now).map(({ path, stor }) => [path, stor]));
  return objectsOf(before).some(({ path, stor }) => places.has(path) && places.get(path) !== stor);
}
