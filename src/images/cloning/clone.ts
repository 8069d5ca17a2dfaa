/**
 * CloneImage: an account's own copy of an image that was shared with it, so that nobody can delete it from under it.
 * The bytes are not moved where the object store can give them a second name. All images of a clone become visible in
 * one batch, when all their bytes are in place; until then nothing of it is seen, and what fails leaves nothing behind.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import { EtagConflictError } from '#lib/documents/errors.ts';
import { LeaseLostError } from '#lib/documents/lease.ts';
import type { Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import { travellingRecord } from '#lib/manifest/travel.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { NIL_UUID, newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { fileDamaged, storedObject } from '../files/stored-object.ts';
import { staging } from '../files/upload-register.ts';
import { loadImage, type StoredImage } from '../record/load.ts';
import { oneAtATime } from '../record/one-at-a-time.ts';
import { putRecord, touchOrigin } from '../record/record-write.ts';
import { type CloneChain, type CloneMember, cloneChain, isSameChain } from './clone-chain.ts';
import { CLONES, type CloneJournal, openJournal, takenForDead } from './clone-journal.ts';
import { CLONED, noteClone } from './cloned.ts';

/** One image of the chain, and the UUID of its clone. */
interface Clone extends CloneMember {
  readonly uuid: string;
}

/** How often a clone begins anew because its chain changed while bytes were being placed. */
const CHAINS = 5;

/** Answers the account's image. @throws what {@link cloneChain} does */
export async function cloneImage(
  service: Service,
  { uuid: source }: Pick<ImageRecord, 'uuid'>,
  account: string,
  signal: AbortSignal,
): Promise<StoredImage> {
  try {
    const again = { attempts: CHAINS, isConflict: isOtherChain };
    return await retryOnConflict(() => cloneOnce(service, source, account, signal), again);
  } catch (error) {
    throw isOtherChain(error) ? new ApiError('Conflict', error.message, { cause: error }) : error;
  }
}

/** Not the chain that the clone was begun with: begin anew. */
class ChainChangedError extends Error {
  override readonly name = 'ChainChangedError';
}

function isOtherChain(error: unknown): error is ChainChangedError {
  return error instanceof ChainChangedError;
}

async function cloneOnce(service: Service, source: string, account: string, signal: AbortSignal): Promise<StoredImage> {
  const chain = await cloneChain(service, await existing(service, source), account);
  const clones = chain.members.map((member) => ({ ...member, uuid: newUuid() }));
  const journal = await openJournal(
    service,
    clones.map(({ uuid }) => uuid),
  );
  try {
    await service.faults.reach('clone:journaled');
    const working = AbortSignal.any([signal, journal.signal]);
    for (const clone of clones) await placeObjects(service, clone, working);
    await service.faults.reach('clone:placed');
    await oneAtATime(service, source, () => commit(service, journal, { clones, chain, source, account }));
    await service.faults.reach('clone:committed');
  } catch (error) {
    await journal.undo();
    throw error instanceof LeaseLostError ? takenForDead(error) : error;
  }
  return existing(service, clones.at(-1)?.uuid ?? '');
}

async function existing(service: Service, uuid: string): Promise<StoredImage> {
  const stored = await loadImage(service, uuid);
  if (!stored) throw imageNotFound(uuid);
  return stored;
}

async function placeObjects(service: Service, { stored, file, uuid }: Clone, signal: AbortSignal): Promise<void> {
  const { value: record } = stored;
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
  const storage = service.storages.named(file.stor);
  // Nobody gets a clone of a file that is damaged.
  const path = imageObjectPath(from, name);
  await storedObject(service.log, { storage, path, size: file.size, what: nameOf(copy) });
  const isPlaced = await duplicate(storage, path, imageObjectPath(copy.to, copy.name)).catch((error: unknown) => {
    throw error instanceof ObjectNotFoundError ? bytesGone(copy, error) : error;
  });
  if (!isPlaced) await streamObject(service, copy, signal);
}

/** For a store that cannot give the bytes a second name. */
async function streamObject(
  service: Service,
  { from, to, name, file }: ObjectCopy,
  signal: AbortSignal,
): Promise<void> {
  const storage = service.storages.named(file.stor);
  const open = (session: string): Promise<WriteSession> =>
    storage.open({ path: imageObjectPath(to, name), session, expect: file.size, limit: file.size, signal });
  await staging(service, { image: to, session: `clone.${to}.${name}` }, open, async (writer) => {
    if (file.size > 0) {
      const { stream } = await storage.read(imageObjectPath(from, name), { end: file.size - 1, signal });
      await writer.append(stream, { signal, disposable: true });
    }
    const { sha1 } = await writer.hashes();
    if (sha1 !== file.sha1) throw fileDamaged(nameOf({ from, name }), `it has other bytes (sha1 ${sha1})`);
    signal.throwIfAborted();
    await writer.commit();
  });
}

function bytesGone(copy: ObjectCopy, cause: unknown): ApiError {
  return new ApiError('ResourceNotFound', `the bytes of ${nameOf(copy)} are not there`, { cause });
}

function nameOf({ from, name }: Pick<ObjectCopy, 'from' | 'name'>): string {
  return `${name} of image "${from}"`;
}

interface Commit {
  readonly clones: readonly Clone[];
  /** As it was when the bytes were placed. */
  readonly chain: CloneChain;
  /** UUID of the image that was shared. */
  readonly source: string;
  readonly account: string;
}

/**
 * Unshared while the bytes were being placed, given to somebody else, cloned by another request: what may be taken is
 * looked at once more, and the batch holds all of the chain to what it is then.
 */
async function commit(service: Service, journal: CloneJournal, { clones, chain, source, account }: Commit) {
  const end = await journal.end();
  const records = cloneRecords(clones, chain.base, account, new Date(service.store.now()).toISOString());
  // Other conflicts come from unrelated changes of the image or of the chain's base.
  await retryOnConflict(async () => {
    const now = await cloneChain(service, await existing(service, source), account);
    if (!isSameChain(chain, now)) throw chainChanged(source);
    const { base, members } = now;
    const taken = members.map(({ stored }) => putRecord(stored.value, stored.etag));
    const created = records.map((record) => putRecord(record, null));
    const noted = members.flatMap(({ stored: { key }, before: { clone, etag } }, i) =>
      clone === undefined ? [noteClone(account, key, records[i]?.uuid ?? '', etag)] : [],
    );
    const write = async (touched: readonly Write[]): Promise<void> => {
      await service.store.batch([end, ...taken, ...touched, ...created, ...noted]).catch((error: unknown) => {
        throw commitProblem(source, error);
      });
    };
    if (base === undefined) await write([]);
    else await oneAtATime(service, base, async () => write([await touchOrigin(service, base, { account })]));
  });
}

function commitProblem(source: string, error: unknown): unknown {
  if (!(error instanceof EtagConflictError)) return error;
  if (error.bucket === CLONES.name) return takenForDead(error);
  return error.bucket === CLONED.name ? chainChanged(source, error) : error;
}

function chainChanged(source: string, cause?: unknown): ChainChangedError {
  const message = `the chain of image "${source}" changed several times while it was being cloned; clone again`;
  return new ChainChangedError(message, { cause });
}

function cloneRecords(
  clones: readonly Clone[],
  base: string | undefined,
  account: string,
  now: string,
): readonly ImageRecord[] {
  return clones.map((clone, i) => {
    const isOrigin = i < clones.length - 1;
    return cloneRecord(clone, { account, origin: i === 0 ? base : clones[i - 1]?.uuid, isOrigin, now });
  });
}

interface CloneFields {
  readonly account: string;
  readonly origin: string | undefined;
  /** Whether it only comes along with the image that was asked for. */
  readonly isOrigin: boolean;
  readonly now: string;
}

/**
 * What describes the image is kept, as the table in `lib/manifest/travel.ts` says. What says who it belongs to, where it
 * came from and who else may use it is the new owner's own; an urn is unique, so the clone has none. Nobody but its owner
 * asked for it, so it is not public. What only comes along is disabled: it is there to be built on, and in no list of
 * what may be used.
 */
function cloneRecord(clone: Clone, { account, origin, isOrigin, now }: CloneFields): ImageRecord {
  const { stored, file, uuid } = clone;
  const { value: record } = stored;
  const { icon, ...described } = travellingRecord(record, 'clone');
  const disabled = isOrigin || record.disabled;
  return {
    ...(described as ImageRecord),
    activated: true,
    uuid,
    owner: account,
    public: false,
    disabled,
    state: disabled ? 'disabled' : 'active',
    published_at: now,
    files: [{ ...file, mtime: now }],
    cloned_from: { uuid: record.uuid, owner: record.owner ?? NIL_UUID },
    ...(icon === undefined ? {} : { icon: { ...icon, mtime: now } }),
    ...(origin === undefined ? {} : { origin }),
  };
}
