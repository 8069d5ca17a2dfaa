/**
 * Former objects: bytes that lie on under an image's name in a store where its record does not look for them any more,
 * because the image was moved, or got a file or icon in another store. They are noted in the batch that makes them
 * former, and removed later by a task, so that whoever has just read the earlier record finds them still.
 *
 * A note is the only permission to remove them, and the record is asked once more. Who places an object under such a name
 * again strikes it off the note in the batch that records the intent; so the two meet there. A store may take long to
 * remove them, so the lease is renewed meanwhile: only a process that is stopped, or cut off from the documents, between
 * its last look and the removal, for longer than its lease, can do harm.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeld, type Lease, LeaseKeeper, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import { retryOnConflict, unlessChanged, updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';
import { loadRaw } from '../record/load.ts';

export interface PlacedObject {
  /** Name of the object store. */
  readonly stor: string;
  readonly path: string;
}

interface FormerObjects {
  readonly objects: readonly PlacedObject[];
  /** Of the process that is removing them. */
  readonly lease?: Lease;
  /** Counts the writes. */
  readonly rev: number;
}

/** Keyed by the image's UUID. */
export const FORMER_OBJECTS: Bucket<FormerObjects> = { name: 'imgapi_former_objects', version: 1, index: {} };

const LEASE_SECONDS = 30;
const RENEWALS = 3;

/** The objects that a record names. */
export function objectsOf({ uuid, files = [], icon }: ImageRecord): PlacedObject[] {
  return [
    ...files.map(({ stor }, i) => ({ stor, path: imageObjectPath(uuid, `file${i}`) })),
    ...(icon ? [{ stor: icon.stor, path: imageObjectPath(uuid, 'icon') }] : []),
  ];
}

/** Notes those of the objects that the record, as it is about to be written, does not name. Belongs in its batch. */
export async function noteFormer(
  { store }: Pick<Service, 'store'>,
  record: ImageRecord,
  objects: readonly PlacedObject[],
): Promise<Write[]> {
  const former = without(objects, objectsOf(record));
  if (former.length === 0) return [];
  const note = await store.get(FORMER_OBJECTS, record.uuid);
  const known = note?.value.objects ?? [];
  // Whoever is removing the others goes on, and nobody may place them meanwhile.
  return [putNote(record.uuid, note, [...known, ...without(former, known)], note?.value.lease)];
}

/**
 * For the batch that records that an object is about to be placed under this name: its bytes are to stay.
 * @throws 409 ImageFileBusy while they are being removed
 */
export async function strikeFormer(service: Service, { uuid }: ImageRecord, placed: PlacedObject): Promise<Write[]> {
  const note = await service.store.get(FORMER_OBJECTS, uuid);
  if (!note?.value.objects.some((one) => isSame(one, placed))) return [];
  if (isHeld(note.value.lease, service.store.now())) {
    throw new ApiError(
      'ImageFileBusy',
      `the bytes that image "${uuid}" left in "${placed.stor}" are being removed; try again`,
    );
  }
  return [putNote(uuid, note, without(note.value.objects, [placed]))];
}

/** For the batch that ends a deletion: nothing of the image is left. */
export function forgetFormer(uuid: string): Write {
  return { op: 'del', bucket: FORMER_OBJECTS, key: uuid };
}

/**
 * The task: removes former objects. Returns how many.
 * @param isNeeded whether somebody still reads an object by a URL that was given out
 */
export async function removeFormerObjects(
  service: Service,
  isNeeded: (image: string, object: PlacedObject) => Promise<boolean>,
): Promise<number> {
  let count = 0;
  await forEachInTurn(service.store.scan(FORMER_OBJECTS, {}), async (found) => {
    await forEachInTurn(found, async ({ key }) => {
      count += await removeOf(service, key, isNeeded);
    });
  });
  return count;
}

async function removeOf(
  service: Service,
  uuid: string,
  isNeeded: (image: string, object: PlacedObject) => Promise<boolean>,
): Promise<number> {
  const { store, storages } = service;
  const note = await store.get(FORMER_OBJECTS, uuid);
  if (!note || isHeld(note.value.lease, store.now())) return 0;
  const idle: PlacedObject[] = [];
  for (const object of note.value.objects) {
    if (storages.find(object.stor) && !(await isNeeded(uuid, object))) idle.push(object);
  }
  if (idle.length === 0) return 0;
  const claim = await claimNote(service, uuid, note);
  if (!claim) return 0;
  const settled: PlacedObject[] = [];
  try {
    await forEachInTurn(idle, async (object) => {
      claim.keeper.signal.throwIfAborted();
      if (!(await isNamed(service, uuid, object))) await storages.named(object.stor).remove(object.path);
      settled.push(object);
      await service.faults.reach('former:removed');
    });
  } finally {
    await claim.keeper.end();
    await retryOnConflict(async () => {
      const now = await store.get(FORMER_OBJECTS, uuid);
      if (!now || !claim.isOurs(now.value)) return;
      await store.batch([putNote(uuid, now, without(now.value.objects, settled))], { frees: true });
    });
  }
  return settled.length;
}

interface Claim {
  readonly keeper: LeaseKeeper;
  isOurs(note: FormerObjects): boolean;
}

/** Undefined if somebody else was faster. */
async function claimNote(
  { store, worker, log }: Service,
  uuid: string,
  { value, etag }: Stored<FormerObjects>,
): Promise<Claim | undefined> {
  let lease = newLease(worker, LEASE_SECONDS, store.now());
  const claimed = { ...value, lease, rev: value.rev + 1 };
  const claim: Write = { op: 'put', bucket: FORMER_OBJECTS, key: uuid, value: claimed, ifEtag: etag };
  if (!(await unlessChanged(store.batch([claim], { frees: true })))) return undefined;
  const isOurs = (note: FormerObjects): boolean => note.lease?.worker === worker && note.lease.until === lease.until;
  const keeper = new LeaseKeeper({
    clock: store,
    everyMs: (LEASE_SECONDS * 1000) / RENEWALS,
    lease: () => lease,
    async renew() {
      const renewed = newLease(worker, LEASE_SECONDS, store.now());
      const change = (note: FormerObjects): FormerObjects => {
        if (!isOurs(note)) throw new LeaseLostError('somebody else has the bytes that are being removed');
        return { ...note, lease: renewed, rev: note.rev + 1 };
      };
      await updateObject(store, FORMER_OBJECTS, uuid, change, { frees: true });
      lease = renewed;
    },
    onMissed: (err) => log.warn({ err, image: uuid }, 'could not renew the lease on former objects'),
  });
  return { keeper, isOurs };
}

/** Nothing that a record names, or is about to, is ever removed, whatever a note says. */
async function isNamed(service: Service, uuid: string, object: PlacedObject): Promise<boolean> {
  const record = (await loadRaw(service, uuid))?.value;
  if (!record) return false;
  const { intent } = record;
  return [...objectsOf(record), ...(intent ? [{ stor: intent.file.stor, path: intent.object }] : [])].some((one) =>
    isSame(one, object),
  );
}

/** @param lease absent: whoever had one has lost it */
function putNote(
  uuid: string,
  note: Stored<FormerObjects> | undefined,
  objects: readonly PlacedObject[],
  lease?: Lease,
): Write {
  const bucket = FORMER_OBJECTS;
  if (note && objects.length === 0) return { op: 'del', bucket, key: uuid, ifEtag: note.etag };
  const value = { objects, ...(lease && { lease }), rev: (note?.value.rev ?? 0) + 1 };
  return { op: 'put', bucket, key: uuid, value, ifEtag: note?.etag ?? null };
}

function without(objects: readonly PlacedObject[], others: readonly PlacedObject[]): PlacedObject[] {
  return objects.filter((object) => !others.some((other) => isSame(object, other)));
}

function isSame(a: PlacedObject, b: PlacedObject): boolean {
  return a.stor === b.stor && a.path === b.path;
}
