/**
 * CloneImage: an account's own copy of an image that was shared with it, so that nobody can delete it from under it.
 * The bytes are not moved where the object store can give them a second name. All images of a clone become visible in
 * one batch, when all their bytes are in place; until then nothing of it is seen, and what fails leaves nothing behind.
 */
import { randomUUID } from 'node:crypto';
import { isGranted } from '#lib/manifest/acl.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import { travellingRecord } from '#lib/manifest/travel.ts';
import { LinkUnsupportedError, ObjectNotFoundError } from '#lib/manta/errors.ts';
import { type ImageObjectName, imageObjectPath } from '#lib/manta/paths.ts';
import { EtagConflictError } from '#lib/moray/errors.ts';
import { NIL_UUID } from '#lib/uuid.ts';
import { ApiError, imageNotFound } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import { assertCloneable, type CloneMember, cloneChain } from './clone-chain.ts';
import { CLONES, type CloneJournal, openJournal, takenForDead } from './clone-journal.ts';
import { storageOf } from './file-placement.ts';
import { loadImage, type StoredImage } from './load.ts';
import { putRecord, touchOrigin } from './record-write.ts';
import { fileDamaged, storedObject } from './stored-object.ts';
import { registerUpload } from './upload-register.ts';

/** Conflicts come from unrelated changes of the image or of the chain's base; each try reads them again. */
const TRIES = 20;

/** One image of the chain, and the UUID of its clone. */
interface Clone extends CloneMember {
  readonly uuid: string;
}

/** Answers the account's image. @throws what {@link assertCloneable} and {@link cloneChain} do */
export async function cloneImage(
  service: Service,
  source: ImageRecord,
  account: string,
  signal: AbortSignal,
): Promise<StoredImage> {
  const { members, base } = await cloneChain(service, assertCloneable(source, account));
  const clones = members.map((member) => ({ ...member, uuid: randomUUID() }));
  const journal = await openJournal(
    service,
    clones.map(({ uuid }) => uuid),
  );
  try {
    await service.faults.reach('clone:journaled');
    const working = AbortSignal.any([signal, journal.signal]);
    for (const clone of clones) await placeObjects(service, clone, working);
    await service.faults.reach('clone:placed');
    await commit(service, journal, { clones, base, source: source.uuid, account });
    await service.faults.reach('clone:committed');
  } catch (error) {
    await journal.undo();
    throw error;
  }
  const uuid = clones.at(-1)?.uuid ?? '';
  const stored = await loadImage(service, uuid);
  if (!stored) throw imageNotFound(uuid);
  return stored;
}

async function placeObjects(service: Service, { record, file, uuid }: Clone, signal: AbortSignal): Promise<void> {
  await placeObject(service, { from: record.uuid, to: uuid, name: 'file0', file }, signal);
  if (record.icon) await placeObject(service, { from: record.uuid, to: uuid, name: 'icon', file: record.icon }, signal);
}

interface ObjectCopy {
  /** UUIDs of the images. */
  readonly from: string;
  readonly to: string;
  readonly name: ImageObjectName;
  readonly file: FileRecord | IconRecord;
}

async function placeObject(service: Service, copy: ObjectCopy, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { from, name, file } = copy;
  const storage = storageOf(service.storages, file.stor);
  // Nobody gets a clone of a file that is damaged.
  const path = imageObjectPath(from, name);
  await storedObject(service.log, { storage, path, size: file.size, what: nameOf(copy) });
  try {
    await storage.link(path, imageObjectPath(copy.to, copy.name));
  } catch (error) {
    if (error instanceof LinkUnsupportedError) await streamObject(service, copy, signal);
    else if (error instanceof ObjectNotFoundError) throw bytesGone(copy, error);
    else throw error;
  }
}

/** For a store that has no second names. */
async function streamObject(
  service: Service,
  { from, to, name, file }: ObjectCopy,
  signal: AbortSignal,
): Promise<void> {
  const storage = storageOf(service.storages, file.stor);
  const session = `clone.${to}.${name}`;
  const release = await registerUpload(service, session, to);
  try {
    const writer = await storage.open({
      path: imageObjectPath(to, name),
      session,
      expect: file.size,
      limit: file.size,
      signal,
    });
    try {
      if (file.size > 0) {
        const { stream } = await storage.read(imageObjectPath(from, name), { end: file.size - 1, signal });
        await writer.append(stream, { signal, disposable: true });
      }
      const { sha1 } = await writer.hashes();
      if (sha1 !== file.sha1) throw fileDamaged(nameOf({ from, name }), `it has other bytes (sha1 ${sha1})`);
      signal.throwIfAborted();
      await writer.commit();
    } finally {
      await writer.discard();
    }
  } finally {
    await release();
  }
}

function bytesGone(copy: ObjectCopy, cause: unknown): ApiError {
  return new ApiError('ResourceNotFound', `the bytes of ${nameOf(copy)} are not there`, { cause });
}

function nameOf({ from, name }: Pick<ObjectCopy, 'from' | 'name'>): string {
  return `${name} of image "${from}"`;
}

interface Commit {
  readonly clones: readonly Clone[];
  readonly base: string | undefined;
  /** UUID of the image that was shared. */
  readonly source: string;
  readonly account: string;
}

async function commit(service: Service, journal: CloneJournal, order: Commit): Promise<void> {
  const { clones, base, source, account } = order;
  const end = await journal.end();
  const mtime = new Date(service.clock.now()).toISOString();
  const records = clones.map((clone, i) => cloneRecord(clone, account, i === 0 ? base : clones[i - 1]?.uuid, mtime));
  for (let attempt = 1; ; attempt++) {
    const shared = await loadImage(service, source);
    if (!shared) throw imageNotFound(source);
    // Unshared while the bytes were being placed; the batch holds the image to what it is now.
    if (!isGranted(shared.value, account)) {
      throw new ApiError('ImageNotShared', `image "${source}" is not shared with account "${account}" any more`);
    }
    const touched = base === undefined ? [] : [await touchOrigin(service, base)];
    const created = records.map((record) => putRecord(record, null));
    try {
      await service.store.batch([end, putRecord(shared.value, shared.etag), ...touched, ...created]);
      return;
    } catch (error) {
      if (!(error instanceof EtagConflictError)) throw error;
      if (error.bucket === CLONES.name) throw takenForDead(error);
      if (attempt === TRIES) throw error;
    }
  }
}

/**
 * What describes the image is kept, as the table in `lib/manifest/travel.ts` says. What says who it belongs to, where it
 * came from and who else may use it is the new owner's own; an urn is unique, so the clone has none. Nobody but its owner
 * asked for it, so it is not public.
 */
function cloneRecord(clone: Clone, account: string, newOrigin: string | undefined, now: string): ImageRecord {
  const { record, file, uuid } = clone;
  const { icon, ...described } = travellingRecord(record, 'clone');
  return {
    ...(described as ImageRecord),
    activated: true,
    uuid,
    owner: account,
    public: false,
    state: record.disabled ? 'disabled' : 'active',
    published_at: now,
    files: [{ ...file, mtime: now }],
    cloned_from: { uuid: record.uuid, owner: record.owner ?? NIL_UUID },
    ...(icon === undefined ? {} : { icon: { ...icon, mtime: now } }),
    ...(newOrigin === undefined ? {} : { origin: newOrigin }),
  };
}
