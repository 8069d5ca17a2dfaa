/**
 * Placing an object under its fixed name (`file0`, `icon`) so that record and bytes never disagree, whatever crashes.
 *
 * 1. The record notes an *intent*: which write session is about to become which object. One at a time; a second
 *    writer gets 409 while the first one's lease runs.
 * 2. The session is committed: the bytes are under their name.
 * 3. The record takes the file over and drops the intent.
 *
 * A crash after 1 or 2 leaves an intent. Whoever finds it with its lease run out recovers it: it first discards the
 * session, so that a writer that was only asleep can no longer place anything; then it looks at the object. When that
 * is the one intended, the record takes it over, otherwise the intent is dropped.
 */

import { EtagConflictError } from '#lib/documents/errors.ts';
import type { WriteOptions } from '#lib/documents/store.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord, PlacementIntent } from '#lib/manifest/record.ts';
import type { ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import { lasts } from '#lib/runtime/clock.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { ApiError, imageNotFound } from '../../../lib/api/errors/api-error.ts';
import type { Service } from '../../service/service.ts';
import type { Guard } from '../record/change.ts';
import { loadRaw, type StoredImage } from '../record/load.ts';
import { putRecord } from '../record/record-write.ts';

/** Placing is a rename, or a copy that the store makes by itself. */
const LEASE_MS = 30_000;
/** Conflicts come from unrelated changes of the same record; each try reads it again. */
const TRIES = 20;

export interface Placement {
  readonly uuid: string;
  /** Complete, flushed, verified. Committed or discarded when `placeFile` returns or throws. */
  readonly session: WriteSession;
  readonly file: FileRecord | IconRecord;
  readonly kind: 'file' | 'icon';
  /**
   * Throws when the record may not take the file. Called as the intent is recorded; whatever could change the answer
   * afterwards (activation, a new attempt) has to settle the intent first.
   */
  readonly guard: Guard;
  /** The record with the file; default: the file becomes the only one, or the icon. */
  readonly apply?: (record: ImageRecord) => ImageRecord;
}

/** Answers the record with the file in place. @throws 409 ImageFileBusy, 404, and what `guard` throws */
export async function placeFile(service: Service, placement: Placement): Promise<StoredImage> {
  const { session, uuid } = placement;
  try {
    await service.faults.reach('upload:staged');
    await recordIntent(service, placement);
    await service.faults.reach('upload:intent-recorded');
    await session.commit();
    await service.faults.reach('upload:placed');
    const stored = await finish(service, uuid, session.session, placement.apply);
    await service.faults.reach('upload:recorded');
    return stored;
  } catch (error) {
    await session.discard().catch((cause: unknown) => service.log.warn({ err: cause, uuid }, 'staging not removed'));
    await abandon(service, uuid, session.session).catch((cause: unknown) =>
      service.log.warn({ err: cause, uuid }, 'placement intent left for recovery'),
    );
    throw error;
  }
}

/** Whether the record has an intent whose writer is given up: its lease has run out. */
export function isAbandoned({ intent, intent_lease: lease = '' }: ImageRecord, now: number): boolean {
  return intent !== undefined && !lasts(Date.parse(lease), LEASE_MS, now);
}

/** Finishes or undoes an intent whose lease has run out. Answers the record as it is then. */
export async function recoverPlacement(service: Service, stored: StoredImage): Promise<StoredImage | undefined> {
  const { intent, uuid } = stored.value;
  if (!intent || !isAbandoned(stored.value, service.storeClock.now())) return stored;
  await settle(service, uuid, intent);
  return loadRaw(service, uuid);
}

/**
 * Takes the icon away, by the same steps: the intent names the icon that is about to go, so that a crash brings back
 * either the whole icon or none. @throws 404 when there is none
 */
export async function removeIcon(service: Service, uuid: string, guard: Guard): Promise<StoredImage> {
  const session = `remove.${uuid}.icon.${newUuid()}`;
  let going: IconRecord | undefined;
  const decide = async (found: StoredImage) => {
    const stored = await withoutStaleIntent(service, found);
    guard(stored.value);
    const { icon, ...record } = stored.value;
    if (!icon) throw noIcon(uuid);
    going = icon;
    const object = imageObjectPath(uuid, 'icon');
    return { stored, record: { ...record, ...intentFor(service, object, session, icon, 'icon') } };
  };
  await change(service, uuid, decide, { frees: true });
  if (!going) throw noIcon(uuid);
  await service.storages.named(going.stor).remove(imageObjectPath(uuid, 'icon'));
  return dropIntent(service, uuid, session);
}

export function noIcon(uuid: string): ApiError {
  return new ApiError('ResourceNotFound', `image "${uuid}" has no icon`);
}

/**
 * Before a change that a file being placed would disturb: an abandoned placement is settled first.
 * @throws 409 ImageFileBusy while a live one is there
 */
export async function assertFilePlacementSettled(service: Service, uuid: string): Promise<void> {
  const stored = await loadRaw(service, uuid);
  const settled = stored?.value.intent ? await recoverPlacement(service, stored) : stored;
  if (settled) assertNoFilePlacement(settled.value);
}

/**
 * The record for whoever is about to read the file: between placing another one and recording it the bytes are not what
 * the record says. @throws 409 ImageFileBusy while it is being placed
 */
export async function withFileAsRecorded(service: Service, stored: StoredImage): Promise<StoredImage> {
  const { intent, files, copy, uuid } = stored.value;
  if (copy || intent?.kind !== 'file' || intent.sha1 === files?.[0]?.sha1) return stored;
  const settled = await recoverPlacement(service, stored);
  if (!settled) throw imageNotFound(uuid);
  assertNoFilePlacement(settled.value);
  return settled;
}

/** @throws 409 ImageFileBusy while a file is being placed; an icon does not count */
export function assertNoFilePlacement(record: ImageRecord): void {
  if (record.intent?.kind !== 'file') return;
  throw new ApiError('ImageFileBusy', `an upload is just placing the file of image "${record.uuid}"`);
}

/** After a failure of its own writer: the intent, if it got that far, is settled at once. */
async function abandon(service: Service, uuid: string, session: string): Promise<void> {
  const intent = (await loadRaw(service, uuid))?.value.intent;
  if (intent?.session === session) await settle(service, uuid, intent);
}

async function settle(service: Service, uuid: string, intent: PlacementIntent): Promise<void> {
  const storage = service.storages.named(intent.file.stor);
  // First the fence, then the look: a writer that wakes up in between finds its session gone.
  await storage.discard(intent.session);
  const isPlaced = await matches(storage, intent);
  service.log.info({ image: uuid, object: intent.object, placed: isPlaced }, 'settled a file placement');
  if (isPlaced) await finish(service, uuid, intent.session);
  else await dropIntent(service, uuid, intent.session);
}

async function recordIntent(service: Service, { uuid, session, file, kind, guard }: Placement): Promise<void> {
  await change(service, uuid, async (found) => {
    const stored = await withoutStaleIntent(service, found);
    guard(stored.value);
    const intent = intentFor(service, session.path, session.session, file, kind);
    return { stored, record: { ...stored.value, ...intent } };
  });
}

function intentFor(
  service: Service,
  object: string,
  session: string,
  file: FileRecord | IconRecord,
  kind: 'file' | 'icon',
): Pick<ImageRecord, 'intent' | 'intent_lease'> {
  return {
    intent: { object, session, size: file.size, sha1: file.sha1, file, kind },
    intent_lease: new Date(service.storeClock.now() + LEASE_MS).toISOString(),
  };
}

/** The record, its stale intent recovered. @throws 409 ImageFileBusy while a live one is there, 404 */
async function withoutStaleIntent(service: Service, found: StoredImage): Promise<StoredImage> {
  const stored = found.value.intent ? await recoverPlacement(service, found) : found;
  if (!stored || stored.value.state === 'deleting') throw imageNotFound(found.key);
  if (stored.value.intent) {
    throw new ApiError('ImageFileBusy', `another upload is just placing a file of image "${found.key}"`);
  }
  return stored;
}

/** The record takes over the file of its intent, given that the intent is still the one of `session`. */
async function finish(
  service: Service,
  uuid: string,
  session: string,
  apply?: (record: ImageRecord) => ImageRecord,
): Promise<StoredImage> {
  return change(service, uuid, async (stored) => {
    const { intent, intent_lease: _, ...record } = stored.value;
    if (record.state === 'deleting') throw imageNotFound(uuid);
    if (intent?.session !== session) {
      // Somebody recovered the intent while this process slept: what it did then is the truth.
      throw new ApiError('ImageFileBusy', `another process finished this upload to image "${uuid}"`);
    }
    return { stored, record: apply ? apply(record) : withFile(record, intent) };
  });
}

function withFile(record: ImageRecord, { file, kind }: PlacementIntent): ImageRecord {
  return kind === 'icon' ? { ...record, icon: file as IconRecord } : { ...record, files: [file as FileRecord] };
}

async function dropIntent(service: Service, uuid: string, session: string): Promise<StoredImage> {
  const decide = async (stored: StoredImage) => {
    const { intent, intent_lease: _, ...record } = stored.value;
    return intent?.session === session ? { stored, record } : undefined;
  };
  return change(service, uuid, decide, { frees: true });
}

async function matches(storage: ObjectStore, intent: PlacementIntent): Promise<boolean> {
  const info = await storage.info(intent.object);
  return info?.size === intent.size && (await storage.hash(intent.object)).sha1 === intent.sha1;
}

/** Read, decide, write; again when the record changed in between. `decide` answering nothing leaves it as it is. */
async function change(
  service: Service,
  uuid: string,
  decide: (stored: StoredImage) => Promise<{ stored: StoredImage; record: ImageRecord } | undefined>,
  options: WriteOptions = {},
): Promise<StoredImage> {
  for (let attempt = 1; ; attempt++) {
    const found = await loadRaw(service, uuid);
    if (!found) throw imageNotFound(uuid);
    const decision = await decide(found);
    if (!decision) return found;
    const write = putRecord(decision.record, decision.stored.etag);
    try {
      await service.store.batch([write], options);
      const stored = await loadRaw(service, uuid);
      if (!stored) throw imageNotFound(uuid);
      return stored;
    } catch (error) {
      if (!(error instanceof EtagConflictError) || attempt === TRIES) throw error;
    }
  }
}
