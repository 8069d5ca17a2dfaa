/**
 * Former objects: bytes that lie on under an image's name in a store where its record does not look for them any more,
 * because the image was moved, or got a file or icon in another store. They are noted in the batch that makes them
 * former, and removed later by a task, so that whoever has just read the earlier record finds them still.
 *
 * A note is the only permission to remove them, and the record is asked once more. Who places an object under such a name
 * again strikes it off the note in the batch that records the intent; so the two meet there. Only a process that is
 * stopped between its last look and the removal, for longer than its lease, can do harm when it wakes up.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeld, type Lease, newLease } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
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

const LEASE_SECONDS = 60;

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
  return [putNote(record.uuid, note, [...known, ...without(former, known)])];
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
  const { store, worker, storages } = service;
  const note = await store.get(FORMER_OBJECTS, uuid);
  if (!note || isHeld(note.value.lease, store.now())) return 0;
  const idle: PlacedObject[] = [];
  for (const object of note.value.objects) {
    if (storages.find(object.stor) && !(await isNeeded(uuid, object))) idle.push(object);
  }
  if (idle.length === 0) return 0;
  const claimed = { ...note.value, lease: newLease(worker, LEASE_SECONDS, store.now()), rev: note.value.rev + 1 };
  const claim: Write = { op: 'put', bucket: FORMER_OBJECTS, key: uuid, value: claimed, ifEtag: note.etag };
  let etag = '';
  const isOurs = await unlessChanged(
    store.batch([claim], { frees: true }).then(([written = '']) => {
      etag = written;
    }),
  );
  if (!isOurs) return 0;
  const settled: PlacedObject[] = [];
  try {
    await forEachInTurn(idle, async (object) => {
      if (!(await isNamed(service, uuid, object))) await storages.named(object.stor).remove(object.path);
      settled.push(object);
      await service.faults.reach('former:removed');
    });
  } finally {
    const left = putNote(uuid, { value: claimed, etag }, without(note.value.objects, settled));
    await unlessChanged(store.batch([left], { frees: true }));
  }
  return settled.length;
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

function putNote(
  uuid: string,
  note: Pick<Stored<FormerObjects>, 'value' | 'etag'> | undefined,
  objects: readonly PlacedObject[],
): Write {
  const bucket = FORMER_OBJECTS;
  if (note && objects.length === 0) return { op: 'del', bucket, key: uuid, ifEtag: note.etag };
  const value = { objects, rev: (note?.value.rev ?? 0) + 1 };
  return { op: 'put', bucket, key: uuid, value, ifEtag: note?.etag ?? null };
}

function without(objects: readonly PlacedObject[], others: readonly PlacedObject[]): PlacedObject[] {
  return objects.filter((object) => !others.some((other) => isSame(object, other)));
}

function isSame(a: PlacedObject, b: PlacedObject): boolean {
  return a.stor === b.stor && a.path === b.path;
}
