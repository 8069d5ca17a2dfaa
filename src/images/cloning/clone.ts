/**
 * CloneImage: gives an account its own copy of an image that is shared with it, which nobody else can delete.
 * No bytes are moved where the object store can give them a second name. All images of a clone become visible in one
 * batch, once all their bytes are in place; a clone that fails leaves nothing behind.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { EventDetails } from '#lib/api/schemas/event.ts';
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
import { forEachInTurn } from '#lib/runtime/each.ts';
import { NIL_UUID, newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { creation } from '../events/changes.ts';
import { causeOf, eventWrites } from '../events/event.ts';
import { fileNotes } from '../files/file-notes.ts';
import { assertNotQuarantined } from '../files/findings.ts';
import { hasMoved } from '../files/following-moves.ts';
import { isIconBusy, withIconAsRecorded } from '../files/icon-as-recorded.ts';
import { readOnce } from '../files/late-md5.ts';
import { fileDamaged, storedObject } from '../files/stored-object.ts';
import { isUnread } from '../files/unread.ts';
import { staging } from '../files/upload-register.ts';
import { assertQuota, type Growth, quotaWrites } from '../quotas/guard.ts';
import { loadImage, type StoredImage } from '../record/load.ts';
import { oneAtATime } from '../record/one-at-a-time.ts';
import { putRecord, touchOrigin } from '../record/record-write.ts';
import { withState } from '../record/state.ts';
import { type CloneChain, type CloneMember, cloneChain, isSameChain } from './clone-chain.ts';
import { CLONES, type CloneJournal, givenUp, openJournal } from './clone-journal.ts';
import { CLONED, noteClone } from './cloned.ts';

export interface CloneRequest {
  /** UUID of the image that is shared. */
  readonly source: string;
  /** Whom the clone is for. */
  readonly account: string;
  /** Throws when the image does not meet the caller's condition. */
  readonly condition?: ((stored: StoredImage) => void) | undefined;
  /** For the log of events. */
  readonly requestId?: string | undefined;
}

/** One image of the chain, and the UUID of its clone. */
interface Clone extends CloneMember {
  readonly uuid: string;
}

/** How often to start over because the chain changed while bytes were being placed. */
const CHAIN_ATTEMPTS = 5;

/** Returns the account's new image. @throws what {@link cloneChain} does */
export async function cloneImage(service: Service, request: CloneRequest, signal: AbortSignal): Promise<StoredImage> {
  try {
    const retries = { attempts: CHAIN_ATTEMPTS, isConflict: isChainChanged };
    return await retryOnConflict(() => cloneOnce(service, request, signal), retries);
  } catch (error) {
    throw isChainChanged(error) ? new ApiError('Conflict', error.message, { cause: error }) : error;
  }
}

/** The chain is not the one that the clone began with: start over. */
class ChainChangedError extends Error {
  override readonly name = 'ChainChangedError';
}

function isChainChanged(error: unknown): error is ChainChangedError {
  return error instanceof ChainChangedError;
}

async function cloneOnce(service: Service, request: CloneRequest, signal: AbortSignal): Promise<StoredImage> {
  const { source, account } = request;
  const chain = await cloneChain(service, await existing(service, source), account);
  for (const { stored } of chain.members.filter(({ stored }) => isIconBusy(stored.value))) {
    await withIconAsRecorded(service, stored.value);
    throw chainChanged(source);
  }
  const unread = chain.members.filter(({ stored }) => isUnread(stored.value, 0));
  await forEachInTurn(unread, ({ stored }) => readOnce(service, stored.value, 0, signal));
  if (unread.length > 0) throw chainChanged(source);
  const clones = chain.members.map((member) => ({ ...member, uuid: newUuid() }));
  const journal = await openJournal(
    service,
    clones.map(({ uuid }) => uuid),
  );
  try {
    await service.faults.reach('clone:journaled');
    const planned = cloneRecords(clones, chain.base, account, new Date(service.store.now()).toISOString());
    await assertQuota(service, planned.map(asGrowth), account);
    const working = AbortSignal.any([signal, journal.signal]);
    for (const clone of clones) await placeObjects(service, clone, working);
    await service.faults.reach('clone:placed');
    await oneAtATime(service, source, () => commit(service, journal, { clones, chain, request }));
    await service.faults.reach('clone:committed');
  } catch (error) {
    await journal.undo();
    if (error instanceof LeaseLostError) throw givenUp(error);
    throw (await isAnyChanged(service, clones)) ? chainChanged(source, error) : error;
  }
  return existing(service, clones.at(-1)?.uuid ?? '');
}

/** The bytes of a member may be gone, or others, because it was moved to another store or got another icon meanwhile. */
async function isAnyChanged(service: Service, clones: readonly Clone[]): Promise<boolean> {
  for (const { stored } of clones) {
    const now = (await loadImage(service, stored.key))?.value;
    if (now && (hasMoved(stored.value, now) || hasOtherIcon(stored.value, now))) return true;
  }
  return false;
}

function hasOtherIcon({ icon }: ImageRecord, now: ImageRecord): boolean {
  return now.icon?.sha1 !== icon?.sha1 || isIconBusy(now);
}

async function existing(service: Service, uuid: string): Promise<StoredImage> {
  const stored = await loadImage(service, uuid);
  if (!stored) throw imageNotFound(uuid);
  return stored;
}

async function placeObjects(service: Service, { stored, file, uuid }: Clone, signal: AbortSignal): Promise<void> {
  const { value: record } = stored;
  assertNotQuarantined(record, 0);
  await placeObject(service, { from: record.uuid, to: uuid, name: 'file0', file }, signal);
  if (!record.icon) return;
  assertNotQuarantined(record, 'icon');
  await placeObject(service, { from: record.uuid, to: uuid, name: 'icon', file: record.icon }, signal);
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
  // A damaged file is not cloned.
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
    storage.open({ path: imageObjectPath(to, name), session, expect: file.size, limit: file.size, once: true, signal });
  await staging(service, { image: to, session: `clone.${to}.${name}` }, open, async (writer) => {
    if (file.size > 0) {
      const { stream } = await storage.read(imageObjectPath(from, name), { end: file.size - 1, signal });
      await writer.append(stream, { signal, disposable: true });
    }
    const { sha1 } = await writer.hashes();
    if (sha1 !== file.sha1) throw fileDamaged(nameOf({ from, name }), `its bytes have sha1 ${sha1}, not ${file.sha1}`);
    signal.throwIfAborted();
    await writer.commit();
  });
}

function bytesGone(copy: ObjectCopy, cause: unknown): ApiError {
  return new ApiError('ResourceNotFound', `the bytes of ${nameOf(copy)} are missing`, { cause });
}

function nameOf({ from, name }: Pick<ObjectCopy, 'from' | 'name'>): string {
  return `${name} of image "${from}"`;
}

interface Commit {
  readonly clones: readonly Clone[];
  /** As it was when the bytes were placed. */
  readonly chain: CloneChain;
  readonly request: CloneRequest;
}

/**
 * While the bytes were being placed, images of the chain may have been unshared, given away, or cloned by another
 * request. So access is checked once more, and the batch is conditional on every record of the chain.
 */
async function commit(service: Service, journal: CloneJournal, { clones, chain, request }: Commit) {
  const { source, account, condition } = request;
  const cause = causeOf(request);
  const end = await journal.end();
  const records = cloneRecords(clones, chain.base, account, new Date(service.store.now()).toISOString());
  // Other conflicts come from unrelated changes to the image or to the chain's base.
  await retryOnConflict(async () => {
    const current = await existing(service, source);
    condition?.(current);
    const now = await cloneChain(service, current, account);
    if (!isSameChain(chain, now)) throw chainChanged(source);
    const { base, members } = now;
    const taken = members.map(({ stored }) => putRecord(stored.value, stored.etag));
    const created = records.map((record) => putRecord(record, null));
    const hashes = clones.flatMap(({ uuid, file }) => fileNotes(uuid, 0, file));
    const told = records.flatMap((record) => eventWrites(service, record, cause, creation(record, clonedFrom(record))));
    const noted = members.flatMap(({ stored: { key }, before: { clone, etag } }, i) =>
      clone === undefined ? [noteClone(account, key, records[i]?.uuid ?? '', etag)] : [],
    );
    const kept = await quotaWrites(service, records.map(asGrowth), { account });
    const write = async (touched: readonly Write[]): Promise<void> => {
      await service.store
        .batch([end, ...taken, ...touched, ...created, ...noted, ...hashes, ...told, ...kept])
        .catch((error: unknown) => {
          throw commitProblem(source, error);
        });
    };
    if (base === undefined) await write([]);
    else await oneAtATime(service, base, async () => write([await touchOrigin(service, base, { account })]));
  });
}

function asGrowth(record: ImageRecord): Growth {
  return { after: record };
}

function clonedFrom({ cloned_from: from }: ImageRecord): EventDetails {
  return from ? { from: from.uuid } : {};
}

function commitProblem(source: string, error: unknown): unknown {
  if (!(error instanceof EtagConflictError)) return error;
  if (error.bucket === CLONES.name) return givenUp(error);
  return error.bucket === CLONED.name ? chainChanged(source, error) : error;
}

function chainChanged(source: string, cause?: unknown): ChainChangedError {
  const message = `the origins of image "${source}" kept changing while it was being cloned; clone it again`;
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
  /** Whether it is cloned only as an origin of the image that was asked for. */
  readonly isOrigin: boolean;
  readonly now: string;
}

/**
 * The description of the image is kept, as the table in `lib/manifest/travel.ts` says. Owner, history and sharing are the
 * new owner's; a urn is unique, so the clone has none. The clone is private. An origin that only comes along is disabled:
 * it is there to be built on, not to be listed as usable.
 */
function cloneRecord(clone: Clone, { account, origin, isOrigin, now }: CloneFields): ImageRecord {
  const { stored, file, uuid } = clone;
  const { value: record } = stored;
  const { icon, ...described } = travellingRecord(record, 'clone');
  return withState({
    ...(described as ImageRecord),
    activated: true,
    uuid,
    owner: account,
    public: false,
    disabled: isOrigin || record.disabled,
    published_at: now,
    files: [{ ...file, mtime: now }],
    cloned_from: { uuid: record.uuid, owner: record.owner ?? NIL_UUID },
    ...(icon !== undefined && { icon: { ...icon, mtime: now } }),
    ...(origin !== undefined && { origin }),
  });
}
