/**
 * Deleting an image, in an order that a crash cannot spoil: the record becomes an invisible tombstone, then the bytes
 * go, then the manifest is archived, then the tombstone goes. Any process can finish a tombstone that it finds; a
 * create, import or copy of the same UUID finishes it first. Nothing of it needs room on a disk that is full, but for
 * the archive, which waits for some.
 */

import type { Query, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { imageObjectDirectory } from '#lib/manifest/object-paths.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { InsufficientStorageError } from '#lib/objects/errors.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';
import { ARCHIVED, writeArchive } from '../files/archive.ts';
import { loadRaw, type StoredImage } from './load.ts';
import { dropRecord, putRecord } from './record-write.ts';

/**
 * Takes away what nobody will miss, such as a placeholder: its manifest is not archived.
 * @param also goes into the batch that makes the tombstone
 * @throws EtagConflictError when the record changed since it was read
 */
export async function deleteRecord(service: Service, stored: StoredImage, also: readonly Write[] = []): Promise<void> {
  await service.store.batch([buried(stored), ...also], { frees: true });
  await finishOwnDelete(service, stored.key);
}

/** What whoever made a tombstone does next. */
export async function finishOwnDelete(service: Service, uuid: string): Promise<void> {
  await service.faults.reach('delete:tombstone');
  try {
    await finishDelete(service, uuid);
  } catch (error) {
    // The image and its bytes are gone.
    if (!(error instanceof InsufficientStorageError)) throw error;
    const message = 'no room to archive the manifest of a deleted image: it is done later';
    service.log.warn({ err: error, image: uuid }, message);
  }
}

/** The write that makes an image disappear; `finishDelete` has to follow. */
export function buried({ value, etag }: StoredImage, archive?: ImageRecord['archive']): Write {
  return putRecord(tombstone(value, archive), etag);
}

/** What is left of the record of an image that goes. @param archive the manifest that is to be archived */
export function tombstone(record: ImageRecord, archive?: ImageRecord['archive']): ImageRecord {
  const { uuid, v, name, version, type, os, owner, files, icon, intent, rev } = record;
  // The origin is let go, so that the tombstone keeps nothing else from being deleted.
  return {
    ...{ v, uuid, name, version, type, os, owner, files, icon, intent, rev },
    state: 'deleting',
    activated: false,
    disabled: true,
    public: false,
    ...(archive && { archive }),
  };
}

/**
 * Removes the bytes and then the record of a tombstone. Nothing happens when the record is none (any more).
 * @throws InsufficientStorageError when the manifest cannot be archived; all else is done then
 */
export async function finishDelete(service: Service, uuid: string): Promise<void> {
  const stored = await loadRaw(service, uuid);
  if (stored?.value.state !== 'deleting') return;
  const { intent, archive } = stored.value;
  for (const storage of service.storages) {
    // A writer between its intent and its placing must find its bytes gone, or it would place them after we looked.
    if (intent) await storage.discard(intent.session);
    // Another process may have finished meanwhile, and the UUID may be in use again: its new bytes are not ours.
    if ((await loadRaw(service, uuid))?.etag !== stored.etag) return;
    await storage.removeTree(imageObjectDirectory(uuid));
  }
  await service.faults.reach('delete:bytes-gone');
  if (archive) await writeArchive(service, uuid, archive);
  const gone = [dropRecord(uuid, stored.etag), { op: 'del', bucket: ARCHIVED, key: uuid } as const];
  // Or somebody else finished the same tombstone.
  await unlessChanged(service.store.batch(gone));
}

/** Finishes every tombstone; the periodic task after a crash. Answers how many there were. */
export async function finishDeletes(service: Service): Promise<number> {
  let count = 0;
  const query: Query = { filter: { op: 'eq', field: 'state', value: 'deleting' } };
  await forEachInTurn(service.store.scan(IMAGES, query), async (found) => {
    count += found.length;
    await forEachInTurn(found, ({ key }) => finishDelete(service, key));
  });
  return count;
}
