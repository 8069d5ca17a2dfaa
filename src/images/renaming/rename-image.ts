/**
 * UpdateImage of `uuid`: an image that is not activated yet gets another UUID, as builds of Docker layers need it. Its
 * bytes are copied under the new name first; then one batch makes the image appear there and disappear here; its old bytes
 * are removed last. A crash leaves the image whole under one of both names.
 */
import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { Write } from '#lib/documents/store.ts';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { forgetClone } from '../cloning/cloned.ts';
import { causeOf, eventWrites } from '../events/event.ts';
import { archivedManifest } from '../files/archive.ts';
import { fileNotes } from '../files/file-notes.ts';
import { assertFilePlacementSettled, assertNothingPlaced } from '../files/file-placement.ts';
import { fileDamaged, storedObject } from '../files/stored-object.ts';
import { isUploading } from '../files/upload-register.ts';
import { isMoving } from '../moving/move-note.ts';
import { OPERATOR } from '../record/access.ts';
import { type ChangeRequest, changeImage } from '../record/change.ts';
import { loadRaw, type StoredImage } from '../record/load.ts';
import { assertNoDependents } from '../record/origins.ts';
import { finishOwnDelete, tombstone } from '../record/tombstones.ts';
import { renameRoleTags } from '../role-tags.ts';
import { assertFree, type Reservation, reserveUuid } from './reservation.ts';

/** The record as it is to be under the new UUID, and what belongs in its batch. @throws what a change may */
export type Renamed = (record: ImageRecord) => Promise<{ record: ImageRecord; also: readonly Write[] }>;

export interface RenameRequest extends ChangeRequest {
  readonly to: string;
  readonly renamed: Renamed;
  /** Throws if the image has to keep its UUID for now, or no other image may get that one. */
  readonly beforeRename: (uuid: string, to: string) => Promise<void>;
  /** Ends the work; the image then keeps its UUID. */
  readonly signal: AbortSignal;
}

/**
 * Returns the image under its new UUID.
 * @throws 409 ImageUuidAlreadyExists, ImageFileBusy; 400 NotImplemented; 422 ImageHasDependentImages; what `renamed` does
 */
export async function renameImage(service: Service, request: RenameRequest): Promise<StoredImage> {
  const { uuid, to } = request;
  await assertFilePlacementSettled(service, uuid);
  // Whatever stands against it is said before any byte is copied.
  const before = await changeImage(service, request, async (record) => {
    await renamedRecord(service, request, record);
    await assertFree(service, to);
    return undefined;
  });
  const reservation = await reserveUuid(service, to, before.value);
  try {
    await service.faults.reach('rename:reserved');
    const signal = AbortSignal.any([request.signal, reservation.signal]);
    for (const object of objectsOf(before.value)) {
      await copyObject(service, reservation, { ...object, uuid, to }, signal);
    }
    await reservation.end();
    await service.faults.reach('rename:placed');
    await commit(service, request, before.value, reservation);
  } catch (error) {
    await reservation.release();
    throw await asOfNow(service, before.value, error);
  }
  await finishOwnDelete(service, uuid);
  const stored = await loadRaw(service, to);
  if (!stored) throw new ApiError('Conflict', `image "${to}" was deleted right after it got that UUID`);
  return stored;
}

/** What went wrong with bytes that are not the image's any more counts for nothing. */
async function asOfNow(service: Service, before: ImageRecord, error: unknown): Promise<unknown> {
  const now = (await loadRaw(service, before.uuid))?.value;
  if (!now || now.state === 'deleting') return imageNotFound(before.uuid);
  return isSameBytes(before, now) ? error : busy(before.uuid, 'got another file');
}

async function commit(
  service: Service,
  request: RenameRequest,
  before: ImageRecord,
  reservation: Reservation,
): Promise<void> {
  await changeImage(service, request, async (record, { stored }) => {
    const { record: renamed, also } = await renamedRecord(service, request, record);
    if (!isSameBytes(before, record)) throw busy(record.uuid, 'got another file');
    const gone = tombstone(record, archivedManifest(service, stored));
    const notes = [
      ...(await forgetClone(service, record)),
      ...(await renameRoleTags(service, record.uuid, request.to)),
      ...(record.files ?? []).flatMap((file, index) => fileNotes(request.to, index, file)),
    ];
    const told = eventWrites(service, renamed, causeOf({ ...request.viewer, requestId: request.requestId }), [
      { kind: 'update', details: { fields: ['uuid'], from: record.uuid } },
    ]);
    return {
      record: gone,
      also: [...also, ...notes, await reservation.replacedBy(renamed), ...told],
      happened: [{ kind: 'update', details: { fields: ['uuid'], to: request.to } }],
    };
  });
}

/** @throws what stands against it */
async function renamedRecord(service: Service, request: RenameRequest, record: ImageRecord): ReturnType<Renamed> {
  const { uuid, files = [] } = record;
  // First, because it says whether the caller may do this at all.
  const renamed = await request.renamed(record);
  assertNothingPlaced(record);
  await request.beforeRename(uuid, request.to);
  if (await isUploading(service, uuid)) throw busy(uuid, 'is getting a file');
  if (await isMoving(service, uuid)) throw busy(uuid, 'is being moved to another store');
  if (files.length > 1) throw new ApiError('NotImplemented', `image "${uuid}" has more than one file; its UUID stays`);
  await assertNoDependents(service, record, OPERATOR);
  return renamed;
}

function busy(uuid: string, why: string): ApiError {
  return new ApiError('ImageFileBusy', `image "${uuid}" ${why} right now; try again`);
}

interface NamedObject {
  readonly name: ImageObjectName;
  readonly kind: 'file' | 'icon';
  readonly file: FileRecord | IconRecord;
}

function objectsOf({ files = [], icon }: ImageRecord): NamedObject[] {
  return [
    ...files.map((file, i): NamedObject => ({ name: `file${i}`, kind: 'file', file })),
    ...(icon ? [{ name: 'icon', kind: 'icon', file: icon } as const] : []),
  ];
}

function isSameBytes(before: ImageRecord, now: ImageRecord): boolean {
  const [one, other] = [before, now].map((record) => objectsOf(record).map(({ file }) => `${file.stor} ${file.sha1}`));
  return one?.join() === other?.join();
}

/** Copied, not linked: whoever takes the UUID discards the session, and with it whatever might still be placed. */
async function copyObject(
  service: Service,
  reservation: Reservation,
  { name, kind, file, uuid, to }: NamedObject & { readonly uuid: string; readonly to: string },
  signal: AbortSignal,
): Promise<void> {
  const storage = service.storages.named(file.stor);
  const [from, path] = [imageObjectPath(uuid, name), imageObjectPath(to, name)];
  const what = `${name} of image "${uuid}"`;
  const { size, sha1 } = file;
  await storedObject(service.log, { storage, path: from, size, what });
  const session = `rename.${to}.${name}.${newUuid()}`;
  await reservation.stage({ object: path, session, size, sha1, file, kind });
  const writer = await storage.open({ path, session, expect: size, limit: size, once: true, signal });
  try {
    if (size > 0) {
      const { stream } = await storage.read(from, { end: size - 1, signal });
      await writer.append(stream, { signal, disposable: true });
    }
    const hashes = await writer.hashes();
    if (hashes.sha1 !== sha1) throw fileDamaged(what, `its bytes have sha1 ${hashes.sha1}, not ${sha1}`);
    signal.throwIfAborted();
    await writer.commit();
  } finally {
    await writer.discard();
  }
}
