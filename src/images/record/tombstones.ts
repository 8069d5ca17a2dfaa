/**
 * Deleting an image, in an order that survives a crash: the record becomes an invisible tombstone, then the bytes are
 * removed, then the manifest is archived, then the tombstone is removed. Any process can finish a tombstone that it
 * finds; a create, import or copy of the same UUID finishes it first. Only the archive needs disk space; on a full disk
 * it waits.
 *
 * The tombstone of an image that can still be restored is *kept*: nobody finishes it before somebody has made it one
 * that is not (`src/images/deleted/`), and its UUID is taken.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeldBy } from '#lib/documents/lease.ts';
import type { Filter, Query, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { imageObjectDirectory, linkedBytesPath } from '#lib/manifest/object-paths.ts';
import { IMAGES, type ImageRecord, type KeptImage } from '#lib/manifest/record.ts';
import { InsufficientStorageError, ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';
import { ARCHIVED, writeArchive } from '../files/archive.ts';
import { PLACEMENT_LEASE_MS } from '../files/file-placement.ts';
import { forgetFinding } from '../files/findings.ts';
import { forgetFormer } from '../files/former-objects.ts';
import { lastNote, noteUnlessNoted } from '../files/to-archive.ts';
import { forgetMove } from '../moving/move-note.ts';
import { forgetRoleTags } from '../role-tags.ts';
import { mayChange, OPERATOR, type Viewer } from './access.ts';
import { loadRaw, normalized, type StoredImage } from './load.ts';
import { counted, dropRecord, putRecord } from './record-write.ts';

/**
 * Deletes without archiving the manifest, as for a placeholder.
 * @param also written in the same batch as the tombstone
 * @throws EtagConflictError when the record has changed since it was read
 */
export async function deleteRecord(service: Service, stored: StoredImage, also: readonly Write[] = []): Promise<void> {
  await service.store.batch([buried(stored), ...also], { frees: true });
  await finishOwnDelete(service, stored.key);
}

/** Of all tombstones only those of kept images have a date on which they expire. */
export const IS_TOMBSTONE: Filter = { op: 'eq', field: 'state', value: 'deleting' };
export const IS_KEPT: Filter = { op: 'exists', field: 'expires_at' };

/** How often a deletion is finished for whoever wants the UUID: a task may be at it too, and be halfway when ours finds nothing to do. */
const MOST_FINISHES = 3;

type IsMeant = (tombstone: ImageRecord) => boolean;

/** Finishes a tombstone that this caller has just written. */
export async function finishOwnDelete(service: Service, uuid: string): Promise<void> {
  await service.faults.reach('delete:tombstone');
  try {
    await finishDelete(service, uuid);
  } catch (error) {
    // The image is gone for good; what a store cannot do now, a task does later.
    if (!(error instanceof InsufficientStorageError || error instanceof ObjectStoreUnavailableError)) throw error;
    service.log.warn({ err: error, image: uuid }, 'a deletion is not finished: bytes, or the archive, come later');
  }
}

/** The write that makes an image disappear; `finishDelete` has to follow. */
export function buried({ value, etag }: StoredImage, archive?: ImageRecord['archive']): Write {
  return putRecord(tombstone(value, archive), etag);
}

/** What remains of the record of a deleted image. @param archive the manifest to archive */
export function tombstone(record: ImageRecord, archive?: ImageRecord['archive']): ImageRecord {
  const { uuid, v, name, version, type, os, owner, files, icon, intent, rev } = record;
  // Without `origin`, so that the tombstone does not keep the origin from being deleted.
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
 * Removes the bytes and then the record of a tombstone. Does nothing if the record is not (or no longer) a tombstone.
 * @param isMeant which tombstone; default any
 * @throws InsufficientStorageError when the manifest cannot be archived; the bytes are gone then.
 * ObjectStoreUnavailableError when some store is down
 */
export async function finishDelete(service: Service, uuid: string, isMeant: IsMeant = () => true): Promise<void> {
  const stored = await claimed(service, uuid, isMeant);
  if (!stored) return;
  const { intent, archive } = stored.value;
  let isOurs = true;
  // The bytes in one store go even if another one is down.
  await forEachInTurn(service.storages, async (storage) => {
    // A writer that has noted its intent and not yet committed must find its bytes gone, or it would place them later.
    if (intent) {
      await storage.discard(intent.session);
      await storage.remove(linkedBytesPath(intent.session));
    }
    // Another process may have finished meanwhile, and the UUID may be in use again: leave its new bytes alone.
    isOurs &&= (await loadRaw(service, uuid))?.etag === stored.etag;
    if (isOurs) await storage.removeTree(imageObjectDirectory(uuid));
  });
  if (!isOurs) return;
  await service.faults.reach('delete:bytes-gone');
  if (archive) await writeArchive(service, uuid, archive);
  const findings = [forgetFinding(uuid, 0), forgetFinding(uuid, 1)];
  const known: Write[] = [
    { op: 'del', bucket: ARCHIVED, key: uuid },
    forgetFormer(uuid),
    forgetMove(uuid),
    ...findings,
    ...(await lastNote(service, uuid, archive)),
  ];
  const gone = [dropRecord(uuid, stored.etag), ...known, ...(await forgetRoleTags(service, uuid))];
  // A conflict means that somebody else finished the same tombstone, and there may be another image by now, archived before this one.
  if (!(await unlessChanged(service.store.batch(gone, { frees: true })))) await noteUnlessNoted(service, uuid);
}

/**
 * The tombstone, if it is one. That of a UUID that is reserved is marked first, so that whoever has reserved it can no
 * longer put an image in its place.
 */
async function claimed(service: Service, uuid: string, isMeant: IsMeant): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, uuid);
  if (stored?.value.state !== 'deleting' || stored.value.kept || !isMeant(stored.value)) return undefined;
  const { intent_lease: lease, ...rest } = stored.value;
  if (lease === undefined) return stored;
  let etag = '';
  const marked = service.store.batch([putRecord(rest, stored.etag)], { frees: true }).then(([first = '']) => {
    etag = first;
  });
  if (!(await unlessChanged(marked))) return undefined;
  // Not read again: by now it may be another image, whose bytes must stay.
  return { ...stored, value: counted(rest), etag };
}

/** Whether somebody is at work on what is to be found under this UUID; see `reservation.ts`. */
export function isReserved({ value }: StoredImage, now: number): boolean {
  const { intent_lease: lease, reserved_by: worker } = value;
  return lease !== undefined && isHeldBy(worker, Date.parse(lease), PLACEMENT_LEASE_MS, now);
}

/**
 * The record as it is now, after finishing any interrupted deletion, for whoever wants the UUID.
 * @throws 409 ImageUuidAlreadyExists if the image was deleted and can still be restored
 */
export async function currentRecord(
  service: Service,
  uuid: string,
  viewer: Viewer = OPERATOR,
): Promise<StoredImage | undefined> {
  for (let left = MOST_FINISHES; ; left -= 1) {
    const stored = await loadRaw(service, uuid);
    if (stored?.value.state !== 'deleting' || left === 0) return stored;
    if (stored.value.kept) throw heldByDeleted(stored.value, stored.value.kept, viewer);
    await finishDelete(service, uuid);
  }
}

/** The same for whoever does not want the UUID: a deleted image is not there. */
export async function recordHere(service: Service, uuid: string): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, uuid);
  return stored?.value.kept ? undefined : currentRecord(service, uuid);
}

/** The error for whoever wants its UUID. Says no more than that it is taken to whom it never belonged. */
export function heldByDeleted(
  { uuid, expires_at: until }: ImageRecord,
  { record }: KeptImage,
  viewer: Viewer,
): ApiError {
  const when = until === undefined ? '' : ` until ${until}`;
  const message = mayChange(record, viewer)
    ? `image "${uuid}" was deleted and can be restored${when}; restore it, or purge it first`
    : `image "${uuid}" already exists here`;
  return new ApiError('ImageUuidAlreadyExists', message);
}

/** The periodic task: finishes every tombstone that a crash left. Returns how many there were. */
export async function finishDeletes(service: Service): Promise<number> {
  let count = 0;
  const query: Query = { filter: { op: 'and', of: [IS_TOMBSTONE, { op: 'not', of: IS_KEPT }] } };
  await forEachInTurn(service.store.scan(IMAGES, query), async (found) => {
    const now = service.store.now();
    const left = found.filter((stored) => !isReserved(normalized(stored), now));
    count += left.length;
    await forEachInTurn(left, ({ key }) => finishDelete(service, key));
  });
  return count;
}
