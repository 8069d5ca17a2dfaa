/**
 * Deleting an image, in an order that a crash cannot spoil: the record becomes an invisible tombstone, then the bytes
 * go, then the tombstone. Any process can finish a tombstone that it finds; a create, import or copy of the same UUID
 * finishes it first.
 */

import { IMAGES } from '#lib/manifest/record.ts';
import { imageObjectDirectory } from '#lib/manta/paths.ts';
import type { Write } from '#lib/moray/store.ts';
import type { Service } from '../service.ts';
import { loadRaw, type StoredImage } from './load.ts';
import { putRecord } from './record-write.ts';

/**
 * `also` goes into the batch that makes the tombstone. @throws EtagConflictError when the record changed since it was
 * read
 */
export async function deleteRecord(service: Service, stored: StoredImage, also: readonly Write[] = []): Promise<void> {
  await service.store.batch([tombstone(stored), ...also]);
  await service.faults.reach('delete:tombstone');
  await finishDelete(service, stored.key);
}

/** The write that makes an image disappear; `finishDelete` has to follow. */
export function tombstone(stored: StoredImage): Write {
  const { uuid, v, name, version, type, os, owner, files, icon, intent, rev } = stored.value;
  // The origin is let go, so that the tombstone keeps nothing else from being deleted.
  return putRecord(
    {
      ...{ v, uuid, name, version, type, os, owner, files, icon, intent, rev },
      state: 'deleting',
      activated: false,
      disabled: true,
      public: false,
    },
    stored.etag,
  );
}

/** Removes the bytes and then the record of a tombstone. Nothing happens when the record is none (any more). */
export async function finishDelete(service: Service, uuid: string): Promise<void> {
  const stored = await loadRaw(service, uuid);
  if (stored?.value.state !== 'deleting') return;
  const { intent } = stored.value;
  for (const storage of Object.values(service.storages)) {
    // A writer between its intent and its placing must find its bytes gone, or it would place them after we looked.
    if (intent) await storage.discard(intent.session);
    // Another process may have finished meanwhile, and the UUID may be in use again: its new bytes are not ours.
    if ((await loadRaw(service, uuid))?.etag !== stored.etag) return;
    await storage.removeTree(imageObjectDirectory(uuid));
  }
  await service.faults.reach('delete:bytes-gone');
  await service.store.batch([{ op: 'del', bucket: IMAGES, key: uuid, ifEtag: stored.etag }]).catch(ignoreLostRace);
}

/** Finishes every tombstone; the periodic task after a crash. Answers how many there were. */
export async function finishDeletes(service: Service): Promise<number> {
  const found = await service.store.find(IMAGES, { filter: { op: 'eq', field: 'state', value: 'deleting' } });
  for (const { key } of found) await finishDelete(service, key);
  return found.length;
}

/** Somebody else finished the same tombstone. */
function ignoreLostRace(error: unknown): void {
  if (!(error instanceof Error && error.name === 'EtagConflictError')) throw error;
}
