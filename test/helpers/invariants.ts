/** What must be true of a datacenter whatever happened to it, as seen in its stores, on its disk and by its clients. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import type { Bucket, Store, Stored } from '#lib/documents/store.ts';
import { archivePath } from '#lib/manifest/object-paths.ts';
import { type FileRecord, IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import { COPIES, type CopyOrder, TRANSFERS, type Transfer } from '#src/copies/documents/model.ts';
import { CLONES } from '#src/images/cloning/clone-journal.ts';
import { ARCHIVE_SESSIONS, ARCHIVED } from '#src/images/files/archive.ts';
import { FORMER_OBJECTS, objectsOf } from '#src/images/files/former-objects.ts';
import { TO_ARCHIVE } from '#src/images/files/to-archive.ts';
import { UPLOADS } from '#src/images/files/upload-register.ts';
import { MOVES } from '#src/images/moving/move-note.ts';
import { ALICE } from './accounts.ts';
import { MiB, type Site } from './cloud.ts';
import { missingInArchive, openDocumentsOf } from './site-stores.ts';
import { waitFor } from './wait.ts';

/** Documents of a datacenter, read while its processes may be running. */
export interface Documents {
  readonly images: readonly ImageRecord[];
  readonly orders: readonly CopyOrder[];
  readonly transfers: readonly Transfer[];
  /** How many images are being moved, and how many left something in another store. */
  readonly moves: number;
  readonly former: number;
  /** Write sessions that are registered, uploads under way, and clones that are not given up. */
  readonly sessions: readonly string[];
  readonly uploads: readonly string[];
  readonly clones: readonly string[];
  /** Images of which the archive has the manifest of now, and those of which it has not, though nothing notes that. */
  readonly archived: readonly string[];
  readonly forgotten: readonly string[];
}

const READ = [IMAGES, COPIES, TRANSFERS, MOVES, FORMER_OBJECTS, STAGED_SESSIONS, UPLOADS, CLONES, ARCHIVED, TO_ARCHIVE];

export async function readDocuments(site: Site): Promise<Documents> {
  const store = await openDocumentsOf(site, READ);
  try {
    return await documentsIn(store);
  } finally {
    await store.close();
  }
}

async function documentsIn(store: Store): Promise<Documents> {
  const all = async <T extends object>(bucket: Bucket<T>): Promise<T[]> =>
    (await store.find(bucket, {})).map(({ value }) => value);
  const keys = async (bucket: Bucket): Promise<string[]> => (await store.find(bucket, {})).map(({ key }) => key);
  const images = await store.find(IMAGES, {});
  return {
    ...(await archiveOf(store, images)),
    images: images.map(({ value }) => value),
    orders: await all(COPIES),
    transfers: await all(TRANSFERS),
    moves: await store.count(MOVES),
    former: await store.count(FORMER_OBJECTS),
    sessions: (await all(STAGED_SESSIONS)).map(({ session }) => session),
    uploads: await keys(UPLOADS),
    clones: (await store.find(CLONES, {})).filter(({ value }) => !value.undone).map(({ key }) => key),
  };
}

/** Only of images that are there: what becomes of a placeholder is not known yet. */
async function archiveOf(
  store: Store,
  images: readonly Stored<ImageRecord>[],
): Promise<Pick<Documents, 'archived' | 'forgotten'>> {
  const noted = new Set((await store.find(TO_ARCHIVE, {})).map(({ key }) => key));
  const etags = new Map((await store.find(ARCHIVED, {})).map(({ key, value }) => [key, value.etag]));
  const settledImages = images.filter(({ key, value }) => !noted.has(key) && !value.copy && value.state !== 'deleting');
  const isArchived = ({ key, etag }: Stored<ImageRecord>): boolean => etags.get(key) === etag;
  return {
    archived: settledImages.filter(isArchived).map(({ key }) => key),
    forgotten: settledImages.filter((image) => !isArchived(image)).map(({ key }) => key),
  };
}

/**
 * Asserts that no order, transfer or placement is still under way, that no image is lost or unreadable, and that after
 * a sweep the disk holds exactly what the documents name.
 */
export async function assertSound(
  t: Test,
  site: Site,
  { keepsPulls = true, isEager = false }: { keepsPulls?: boolean; isEager?: boolean } = {},
): Promise<void> {
  const quiet = await unrest(site);
  t.same(quiet, [], `${site.name}: nothing is left half done`);
  t.same(
    await residue(site, keepsPulls, isEager),
    [],
    `${site.name}: the disk holds what the documents name, and nothing else`,
  );
  await assertReadable(t, site);
}

/** Maximum writes of one image's record during a test. More would mean that something repeats endlessly. */
const MOST_WRITES = 100;

/** Waits until nothing is under way; returns what still is when time runs out. */
async function unrest(site: Site): Promise<string[]> {
  return settled(async () => {
    const { images, orders, transfers, moves, former, forgotten } = await readDocuments(site);
    return [
      ...(moves > 0 ? [`${moves} images are being moved`] : []),
      ...forgotten.map((uuid) => `${uuid} is neither archived nor noted`),
      ...(former > 0 ? [`${former} images have former objects`] : []),
      ...orders.filter(({ live }) => live).map(({ image, state }) => `order for ${image} is ${state}`),
      ...transfers.filter(({ live }) => live).map(({ image, state }) => `transfer of ${image} is ${state}`),
      ...images.filter(({ intent }) => intent).map(({ uuid }) => `a file of ${uuid} is being placed`),
      ...images.filter(({ state, kept }) => state === 'deleting' && !kept).map(({ uuid }) => `${uuid} is a tombstone`),
      ...images.filter(({ copy }) => copy?.state === 'live').map(({ uuid }) => `${uuid} is a live placeholder`),
      ...images.filter(({ rev = 0 }) => rev > MOST_WRITES).map(({ uuid, rev }) => `${uuid} was written ${rev} times`),
    ];
  });
}

/**
 * Objects, staged files and entries of registers that nothing needs any more, and objects that a document names but that
 * are missing.
 */
async function residue(site: Site, keepsPulls: boolean, isEager: boolean): Promise<string[]> {
  return settled(async () => {
    // What a process left that was killed before it could enter it anywhere goes at once only where an operator asks.
    await site.administer('POST', `/admin/reap${site.ground || isEager ? '?staging=true' : ''}`);
    const documents = await readDocuments(site);
    const objects = namedObjects(documents, site.ground?.objects.stor ?? 'local');
    const sessions = keptSessions(documents);
    const all = await pathsOf(site);
    const found = all.filter((path) => !isOwn(path, keepsPulls));
    const missing = [
      ...[...objects].filter((path) => !all.includes(path)),
      ...(await missingManifests(site, documents.archived, all)),
    ];
    const isNamed = (path: string): boolean => objects.has(path) || sessions.has(sessionOf(path) ?? '');
    return [
      ...found.filter((path) => !isNamed(path)).map((path) => `left over: ${path}`),
      ...missing.map((path) => `missing: ${path}`),
      ...documents.sessions
        .filter((session) => !sessions.has(session) && !session.startsWith(ARCHIVE_SESSIONS))
        .map((session) => `session: ${session}`),
      ...documents.uploads.map((session) => `entry of an upload: ${session}`),
      ...documents.clones.map((image) => `note of a clone: ${image}`),
    ];
  });
}

/** Paths of the archive where the manifest of an image is to be and is not. @param all those of the store */
async function missingManifests(site: Site, archived: readonly string[], all: readonly string[]): Promise<string[]> {
  const paths = archived.map(archivePath);
  if (site.ground) return paths.filter((path) => !all.includes(path));
  const documents = await openDocumentsOf(site, READ);
  try {
    return await missingInArchive(site, documents, paths, all);
  } finally {
    await documents.close();
  }
}

/** Paths of what the store holds. */
function pathsOf({ ground, dataDir }: Site): Promise<string[]> {
  return ground ? ground.objects.paths() : filesBelow(join(dataDir, 'storage'));
}

/** Those of the store. */
function namedObjects({ images }: Documents, store: string): Set<string> {
  return new Set(images.flatMap(objectsOf).flatMap(({ stor, path }) => (stor === store ? [path] : [])));
}

/** Failed copies keep their staged bytes, so that they can be ordered again. */
function keptSessions({ transfers }: Documents): Set<string> {
  return new Set(transfers.flatMap(({ staged }) => (staged === undefined ? [] : [staged])));
}

/** Of a path of staged bytes. */
function sessionOf(path: string): string | undefined {
  return /^staging\/([^/]+)/.exec(path)?.[1];
}

/**
 * Damaged bytes are kept for a while. Pull links are removed when their day is over, whatever became of their transfer. Manifests are archived at any time, and
 * what a process leaves that is killed meanwhile goes by its age alone.
 */
function isOwn(path: string, keepsPulls: boolean): boolean {
  const isArchive = path.startsWith('archive/') || path.startsWith(`staging/${ARCHIVE_SESSIONS}`);
  return OWN.has(path) || isArchive || path.startsWith('quarantine/') || (keepsPulls && path.startsWith('pulls/'));
}

/** By which a store is known. */
const OWN: ReadonlySet<string> = new Set(['identity', 'owner']);

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** Asserts that every image with a file gives its owner the bytes that its record promises. */
async function assertReadable(t: Test, site: Site): Promise<void> {
  const bad = await eachOf(promisedFiles((await readDocuments(site)).images), async ({ uuid, owner, file }) => {
    const client = owner === undefined || owner === ALICE ? site.alice : site.operator;
    const sha1 = await sha1Served(client, uuid).catch(async (error: unknown) => {
      const now = (await readDocuments(site)).images.find((one) => one.uuid === uuid);
      return `${String(error)}; its record is ${JSON.stringify(now)} now`;
    });
    return sha1 === file.sha1 ? [] : [`${uuid} has sha1 ${sha1} instead of ${file.sha1}`];
  });
  t.same(bad, [], `${site.name}: every file that a record promises is there, to the byte`);
}

/** More would make nothing faster on a busy machine. */
const AT_ONCE = 8;

/** What is wrong with any of them, some looked at side by side. */
export async function eachOf<T>(all: readonly T[], wrongWith: (one: T) => Promise<string[]>): Promise<string[]> {
  const wrong: string[] = [];
  const left = all.values();
  const look = async (): Promise<void> => {
    for (const one of left) wrong.push(...(await wrongWith(one)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return wrong;
}

/** The files that can be read by these records: a placeholder is not there yet, and a tombstone not any more. */
export function promisedFiles(
  images: readonly ImageRecord[],
): { readonly uuid: string; readonly owner: string | undefined; readonly file: FileRecord }[] {
  return images.flatMap(({ uuid, owner, files: [file] = [], copy, state }) =>
    file && !copy && state !== 'deleting' ? [{ uuid, owner, file }] : [],
  );
}

/** The SHA-1 of the file as served over HTTP. */
export async function sha1Served(client: ImgapiClient, uuid: string): Promise<string> {
  const { stream } = await client.getImageFile(uuid);
  const hash = createHash('sha1');
  for await (const chunk of stream) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/**
 * Waits until there are no complaints; returns those that remain when time runs out. What cannot be looked at is a complaint
 * too, and is looked at again: a folder may go while it is listed.
 */
export async function settled(complaints: () => Promise<string[]>, bound?: number): Promise<string[]> {
  let last: string[] = [];
  const none = async (): Promise<boolean> => {
    last = await complaints().catch((error: unknown) => [`cannot be looked at: ${String(error)}`]);
    return last.length === 0;
  };
  await waitFor('no complaints', none, bound).catch(() => undefined);
  return last;
}

export interface Watcher {
  /** Stops watching; fails the test if anything forbidden was seen. */
  end(): Promise<void>;
}

/**
 * Watches the images during the test, as their owner. An image must be complete from the moment it is active, images of
 * one order must become active together, and an active image must not disappear.
 */
export function watchImages(t: Test, site: Site, uuids: readonly string[]): Watcher {
  const stop = new AbortController();
  const seen = new Set<string>();
  const violations: string[] = [];
  const look = async (): Promise<void> => {
    const listed = await site.alice.listImages({ state: 'active' });
    const active = uuids.filter((uuid) => listed.some((image) => image.uuid === uuid));
    for (const uuid of seen) if (!active.includes(uuid)) violations.push(`${uuid} was active and is gone`);
    if (active.length > 0 && active.length < uuids.length) violations.push(`only ${active.join(', ')} became active`);
    for (const uuid of active.filter((found) => !seen.has(found))) {
      const { files } = await site.alice.getImage(uuid);
      const sha1 = await sha1Served(site.alice, uuid);
      if (sha1 !== files[0]?.sha1) violations.push(`${uuid} is active and its file has sha1 ${sha1}`);
      seen.add(uuid);
    }
  };
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await look().catch((error: unknown) => {
        if (!(error instanceof ImgapiUnreachableError)) violations.push(String(error));
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async end() {
      stop.abort();
      await watching;
      t.same(violations, [], `${site.name}: images become active whole, together, and for good`);
    },
  };
}

/**
 * Asserts that a resumed copy moves hardly more than its bytes: only what was in buffers when it broke may be sent
 * twice. `files`: how many times the whole file may be sent.
 */
export function assertMoved(t: Test, moved: number, size: number, files = 1): void {
  const most = (files + 0.1) * size + 16 * MiB;
  t.ok(moved <= most, `${(moved / MiB).toFixed(1)} MiB came, at most ${(most / MiB).toFixed(1)} may`);
}
