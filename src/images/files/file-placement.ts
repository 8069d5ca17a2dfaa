/**
 * Places an object under its fixed name (`file0`, `icon`) so that record and bytes never disagree, even after a crash.
 *
 * 1. The record notes an *intent*: which write session is about to become which object. Only one at a time: a second
 *    writer gets 409 while the first one's lease runs.
 * 2. The session is committed: the bytes are under their name.
 * 3. The record takes the file over and drops the intent.
 *
 * A crash after 1 or 2 leaves an intent. Any process that finds one whose lease has run out recovers it. It first
 * discards the session, so that a writer that was only asleep can no longer place anything, and then looks at the
 * object. If that is the intended one, the record takes it over; otherwise the intent is dropped.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import { isHeldBy, LeaseKeeper, LeaseLostError } from '#lib/documents/lease.ts';
import type { Write } from '#lib/documents/store.ts';
import { imageObjectPath, linkedBytesPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord, PlacementIntent } from '#lib/manifest/record.ts';
import type { ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { causeOf } from '../events/event.ts';
import { type ChangeRequest, changeImage, changeRecord } from '../record/change.ts';
import { loadRaw, type StoredImage } from '../record/load.ts';
import { fileNotes } from './file-notes.ts';
import { FINDINGS, findingKey, forgetFinding, withoutQuarantined } from './findings.ts';
import { noteFormer, objectsOf, strikeFormer } from './former-objects.ts';
import { forgetPieceLists } from './piece-lists.ts';
import { withoutUnread, withUnread } from './unread.ts';

/** Milliseconds. Placing is a rename, or a copy that may take as long as the file is large: then the lease is renewed. */
export const PLACEMENT_LEASE_MS = 30_000;
const RENEWALS = 3;

export interface Placement {
  readonly uuid: string;
  /** Who places it; access is checked again as the intent is recorded. Absent: the service itself. */
  readonly by?: ChangeRequest;
  /** The image is deleted and can still be restored: the service itself moves its bytes. */
  readonly isDeleted?: boolean;
  /** Complete, flushed, verified. Committed or discarded when `placeFile` returns or throws. */
  readonly session: WriteSession;
  readonly file: FileRecord | IconRecord;
  readonly kind: 'file' | 'icon';
  /** See {@link PlacementIntent}. */
  readonly index?: number;
  /** The bytes came by a link, and are to be read later. */
  readonly isUnread?: boolean;
  /**
   * Throws when the record may not take the file. Called as the intent is recorded. Whatever could change the answer
   * later (activation, another owner, a new attempt) has to settle the intent first.
   */
  readonly guard?: (record: ImageRecord) => void;
}

/**
 * Returns the record with the file in place.
 * @throws 409 ImageFileBusy, 404, and what the door (`change.ts`) and `guard` throw
 */
export async function placeFile(service: Service, placement: Placement): Promise<StoredImage> {
  const { session, uuid } = placement;
  try {
    await service.faults.reach('upload:staged');
    await recordIntent(service, placement);
    await service.faults.reach('upload:intent-recorded');
    await keepingLease(service, placement, () => session.commit());
    await service.faults.reach('upload:placed');
    const stored = await finish(service, placement);
    await service.faults.reach('upload:recorded');
    return stored;
  } catch (error) {
    await session
      .discard()
      .catch((cause: unknown) => service.log.warn({ err: cause, uuid }, 'could not remove staged bytes'));
    await abandon(service, uuid, session.session).catch((cause: unknown) =>
      service.log.warn({ err: cause, uuid }, 'a placement intent is left for recovery'),
    );
    throw error;
  }
}

/** Carries out what may take longer than the lease of the intent. */
async function keepingLease(
  service: Service,
  { uuid, session }: Placement,
  work: () => Promise<unknown>,
): Promise<void> {
  let until = service.store.now() + PLACEMENT_LEASE_MS;
  const keeper = new LeaseKeeper({
    clock: service.store,
    everyMs: PLACEMENT_LEASE_MS / RENEWALS,
    lease: () => ({ worker: service.worker, until }),
    async renew() {
      const renewed = service.store.now() + PLACEMENT_LEASE_MS;
      const renew = (record: ImageRecord): ImageRecord => {
        if (record.intent?.session !== session.session) {
          throw new LeaseLostError('another process settled the placement');
        }
        return { ...record, intent_lease: new Date(renewed).toISOString() };
      };
      await changeRecord(service, uuid, renew, { evenDeleted: true });
      until = renewed;
    },
    onMissed: (error) => service.log.warn({ err: error, image: uuid }, 'could not renew the lease of a placement'),
  });
  try {
    await work();
  } finally {
    await keeper.end();
  }
}

/** Whether the record has an intent whose lease has run out. */
export function isAbandoned({ intent, intent_lease: lease = '' }: ImageRecord, now: number): boolean {
  return intent !== undefined && !isHeldBy(intent.worker, Date.parse(lease), PLACEMENT_LEASE_MS, now);
}

/** Finishes or undoes an intent whose lease has run out. Returns the record as it is afterwards. */
export async function recoverPlacement(service: Service, stored: StoredImage): Promise<StoredImage | undefined> {
  const { intent, uuid, state, kept } = stored.value;
  // A tombstone's intent goes when the tombstone does, unless that stays.
  if (!intent || (state === 'deleting' && !kept) || !isAbandoned(stored.value, service.store.now())) return stored;
  await settle(service, uuid, intent);
  return loadRaw(service, uuid);
}

/**
 * Removes the icon by the same steps: the intent names the icon that is about to go, so that a crash leaves either the
 * whole icon or none. @throws 404 when there is none
 */
export function deleteIcon(service: Service, request: ChangeRequest): Promise<StoredImage> {
  return removeIcon(service, request.uuid, (note) => changeImage(service, request, note, { frees: true }));
}

/** The same by the service itself. @param guard throws when the record is to keep its icon */
export async function dropIcon(
  service: Service,
  uuid: string,
  guard: (record: ImageRecord) => void,
): Promise<StoredImage> {
  return removeIcon(service, uuid, (note) => {
    const guarded = (record: ImageRecord): ImageRecord => {
      guard(record);
      return note(record);
    };
    return changeRecord(service, uuid, guarded, { frees: true });
  });
}

async function removeIcon(
  service: Service,
  uuid: string,
  change: (note: (record: ImageRecord) => ImageRecord) => Promise<StoredImage>,
): Promise<StoredImage> {
  const session = `remove.${uuid}.icon.${newUuid()}`;
  let going: IconRecord | undefined;
  await settleAbandoned(service, uuid);
  const note = (current: ImageRecord): ImageRecord => {
    assertNothingPlaced(current);
    const { icon, ...record } = withoutQuarantined(current, 'icon');
    if (!icon) throw noIcon(uuid);
    going = icon;
    const path = imageObjectPath(uuid, 'icon');
    return { ...record, ...intentFor(service, { session: { session, path }, file: icon, kind: 'icon' }) };
  };
  await change(note);
  if (!going) throw noIcon(uuid);
  await service.storages.named(going.stor).remove(imageObjectPath(uuid, 'icon'));
  return unlessDeleted(await dropIntent(service, uuid, session, false));
}

export function noIcon(uuid: string): ApiError {
  return new ApiError('ResourceNotFound', `image "${uuid}" has no icon`);
}

/**
 * Call before a change that a placement under way would disturb; settles an abandoned one first.
 * @throws 409 ImageFileBusy while a file is being placed
 */
export async function assertFilePlacementSettled(service: Service, uuid: string): Promise<void> {
  const settled = await settleAbandoned(service, uuid);
  if (settled) assertNoFilePlacement(settled.value);
}

async function settleAbandoned(service: Service, uuid: string): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, uuid);
  return stored?.value.intent ? recoverPlacement(service, stored) : stored;
}

/**
 * The record for a reader of the file: after a new file is placed and before it is recorded, the bytes are not what the
 * record says. @throws 409 ImageFileBusy while a file is being placed
 */
export async function withFileAsRecorded(service: Service, stored: StoredImage): Promise<StoredImage> {
  const { intent, files, copy, uuid } = stored.value;
  if (copy || intent?.kind !== 'file') return stored;
  const replaced = files?.[intent.index ?? 0];
  // Bytes in another store disturb nobody, and neither do the same bytes.
  if (replaced?.stor !== intent.file.stor || replaced.sha1 === intent.sha1) return stored;
  const settled = await recoverPlacement(service, stored);
  if (!settled) throw imageNotFound(uuid);
  assertNoFilePlacement(settled.value);
  return settled;
}

/** @throws 409 ImageFileBusy while a file is being placed; an icon does not count */
export function assertNoFilePlacement(record: ImageRecord): void {
  if (record.intent?.kind !== 'file') return;
  throw new ApiError('ImageFileBusy', `an upload is storing the file of image "${record.uuid}" right now; try again`);
}

/** @throws 409 ImageFileBusy while a file or an icon is being placed */
export function assertNothingPlaced({ intent, uuid }: ImageRecord): void {
  if (!intent) return;
  throw new ApiError('ImageFileBusy', `another upload is storing a file of image "${uuid}" right now; try again`);
}

/** After a failure of its own writer: settles the intent, if one was recorded, without waiting for its lease. */
async function abandon(service: Service, uuid: string, session: string): Promise<void> {
  const intent = (await loadRaw(service, uuid))?.value.intent;
  if (intent?.session === session) await settle(service, uuid, intent);
}

async function settle(service: Service, uuid: string, intent: PlacementIntent): Promise<void> {
  const storage = service.storages.named(intent.file.stor);
  // Discard before looking: a writer that wakes up in between finds its session gone.
  await storage.discard(intent.session);
  await storage.remove(linkedBytesPath(intent.session));
  const isPlaced = await matches(storage, intent);
  service.log.info({ image: uuid, object: intent.object, placed: isPlaced }, 'settled a file placement');
  if (isPlaced) {
    // Whoever settled it at the same time did the same.
    await takeOver(service, uuid, intent.session);
    return;
  }
  const isLeft = (await storage.info(intent.object)) !== undefined;
  await dropIntent(service, uuid, intent.session, isLeft);
}

async function recordIntent(service: Service, placement: Placement): Promise<void> {
  const { uuid, by, isDeleted: evenDeleted = false, session, file, guard } = placement;
  await settleAbandoned(service, uuid);
  const note = async (record: ImageRecord) => {
    assertNothingPlaced(record);
    guard?.(record);
    const intending = { ...record, ...intentFor(service, placement) };
    return { record: intending, also: await strikeFormer(service, record, { stor: file.stor, path: session.path }) };
  };
  await (by ? changeImage(service, by, note) : changeRecord(service, uuid, note, { evenDeleted }));
}

type Intended = Pick<Placement, 'file' | 'kind' | 'index' | 'by' | 'isUnread'> & {
  readonly session: Pick<WriteSession, 'session' | 'path'>;
};

function intentFor(
  service: Service,
  { session: { session, path: object }, file, kind, index, by, isUnread }: Intended,
): Pick<ImageRecord, 'intent' | 'intent_lease'> {
  const { size, sha1 } = file;
  return {
    intent: {
      ...{ object, session, size, sha1, file, kind, worker: service.worker },
      ...(index !== undefined && { index }),
      ...(isUnread && { is_unread: true }),
      ...(by && { cause: causeOf({ account: by.viewer.account, requestId: by.requestId }) }),
    },
    intent_lease: new Date(service.store.now() + PLACEMENT_LEASE_MS).toISOString(),
  };
}

/** The record takes over the file of its intent. @throws 409 ImageFileBusy if another process did so while this one slept */
async function finish(service: Service, { uuid, session, isDeleted }: Placement): Promise<StoredImage> {
  const stored = await takeOver(service, uuid, session.session);
  if (!stored) throw new ApiError('ImageFileBusy', `another process finished this upload to image "${uuid}"`);
  return isDeleted ? stored : unlessDeleted(stored);
}

/** What was deleted meanwhile has the file, should it be restored; but to the caller it is gone. @throws 404 */
function unlessDeleted(stored: StoredImage): StoredImage {
  if (stored.value.state === 'deleting') throw imageNotFound(stored.key);
  return stored;
}

/** Undefined if the intent is not that of `session` any more: its outcome counts. */
async function takeOver(service: Service, uuid: string, session: string): Promise<StoredImage | undefined> {
  let isOurs = false;
  const take = async ({ intent, intent_lease: _, ...record }: ImageRecord) => {
    isOurs = intent?.session === session;
    if (!intent || !isOurs) return undefined;
    const placed = withFile(record, intent);
    const former = await noteFormer(service, placed, objectsOf(record));
    const also = [...former, ...(await endedFindings(service, uuid, intent)), ...notesOf(uuid, intent)];
    return { record: placed, also, cause: intent.cause };
  };
  const stored = await changeRecord(service, uuid, take, { evenDeleted: true });
  return isOurs ? stored : undefined;
}

function notesOf(uuid: string, { kind, index = 0, file }: PlacementIntent): Write[] {
  return kind === 'icon' ? [] : fileNotes(uuid, index, file as FileRecord);
}

/** What was found out about the bytes that were there before is not true of these. */
async function endedFindings(
  { store }: Service,
  uuid: string,
  { kind, index = 0, file }: PlacementIntent,
): Promise<Write[]> {
  const which = kind === 'icon' ? kind : index;
  if (!(await store.get(FINDINGS, findingKey(uuid, which)))) return [];
  if (kind === 'icon') return [forgetFinding(uuid, kind)];
  // The hashes of its pieces may be those of the damaged bytes.
  return [forgetFinding(uuid, index), ...(file ? forgetPieceLists(uuid, index, file as FileRecord) : [])];
}

function withFile(before: ImageRecord, intent: PlacementIntent): ImageRecord {
  const { file, kind, index = 0, is_unread: isUnread } = intent;
  if (kind === 'icon') return { ...withoutQuarantined(before, kind), icon: file as IconRecord };
  const clean = withoutUnread(withoutQuarantined(before, index), index);
  return withFileAt(isUnread ? withUnread(clean, index) : clean, intent);
}

function withFileAt(record: ImageRecord, { file, index }: PlacementIntent): ImageRecord {
  if (index === undefined) return { ...record, files: [file as FileRecord] };
  const { files = [] } = record;
  if (index === files.length) return { ...record, files: [...files, file as FileRecord] };
  // Its other fields, such as digests, may have changed since the intent.
  return { ...record, files: files.map((known, i) => (i === index ? { ...known, stor: file.stor } : known)) };
}

/** @param isLeft whether bytes lie under the intended name, of which the record may know nothing */
async function dropIntent(service: Service, uuid: string, session: string, isLeft: boolean): Promise<StoredImage> {
  const without = async ({ intent, intent_lease: _, ...record }: ImageRecord) => {
    if (intent?.session !== session) return undefined;
    const left = isLeft ? [{ stor: intent.file.stor, path: intent.object }] : [];
    return { record, also: await noteFormer(service, record, left) };
  };
  return changeRecord(service, uuid, without, { frees: true, evenDeleted: true });
}

async function matches(storage: ObjectStore, intent: PlacementIntent): Promise<boolean> {
  const info = await storage.info(intent.object);
  return info?.size === intent.size && (await storage.hash(intent.object)).sha1 === intent.sha1;
}
