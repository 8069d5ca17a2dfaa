/** The files and the icon of an image that is to be taken in: which are in place already, and which are to be brought. */
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Service } from '../../service/service.ts';
import { type DataSource, UnreadableError } from '../sources/data-source.ts';
import type { WantedObject } from './stage-object.ts';

const LOCAL = 'local';

/** What is recorded of each. */
export type ImageObjects = ReadonlyMap<ImageObjectName, FileRecord | IconRecord>;

export interface ObjectsFound {
  readonly placed: ImageObjects;
  readonly missing: readonly WantedObject[];
}

/**
 * @param here what is recorded of the image already
 * @param hashes whether bytes of this machine are read to see that they are right
 * @throws UnreadableError for bytes that nobody has
 */
export async function findObjects(
  service: Service,
  source: DataSource,
  candidate: ImageRecord,
  { here, hashes, signal }: { here: ImageRecord | undefined; hashes: boolean; signal: AbortSignal },
): Promise<ObjectsFound> {
  const placed = new Map<ImageObjectName, FileRecord | IconRecord>();
  const missing: WantedObject[] = [];
  for (const [name, file] of objectsIn(candidate)) {
    const known = here && new Map(objectsIn(here)).get(name);
    const stor = known && isSame(known, file) ? known.stor : undefined;
    const storage = storageFor(service, candidate, stor ?? file.stor);
    if (await isInPlace(storage, imageObjectPath(candidate.uuid, name), file, { hashes, signal })) {
      placed.set(name, { ...file, ...(stor !== undefined && known), stor: storage.name });
    } else {
      const bytes = await source.bytes({ uuid: candidate.uuid, name, stor: file.stor }, signal);
      if (bytes.size !== file.size) {
        throw new UnreadableError(`${name}: it has ${bytes.size} bytes, not ${file.size}`);
      }
      missing.push({ uuid: candidate.uuid, name, file, storage, bytes });
    }
  }
  return { placed, missing };
}

function objectsIn({ files = [], icon }: ImageRecord): [ImageObjectName, FileRecord | IconRecord][] {
  const found = files.map((file, i): [ImageObjectName, FileRecord] => [`file${i}`, file]);
  return icon ? [...found, ['icon', icon]] : found;
}

function isSame(a: FileRecord | IconRecord, b: FileRecord | IconRecord): boolean {
  return a.sha1 === b.sha1 && a.size === b.size;
}

/** The store of that name, as the records of both mean the same Manta; else where new images of that owner go. */
function storageFor({ storages }: Service, { owner }: ImageRecord, stor: string): ObjectStore {
  return storages.find(stor) ?? storages.ofOwner(owner);
}

/**
 * What lies in the right place is read again where that takes a disk. Of what lies in Manta the size has to do:
 * `imgapiadm verify` reads everything.
 */
async function isInPlace(
  storage: ObjectStore,
  path: string,
  { size, sha1 }: FileRecord | IconRecord,
  { hashes, signal }: { hashes: boolean; signal: AbortSignal },
): Promise<boolean> {
  if ((await storage.info(path))?.size !== size) return false;
  return storage.name !== LOCAL || !hashes || (await storage.hash(path, signal)).sha1 === sha1;
}
