/**
 * Backs up a data folder while its server runs.
 *
 * The documents are a snapshot of one moment, and the backup has every file that they promise: files are copied after the
 * documents, and if one has disappeared meanwhile, the documents are copied again, until they agree that it is gone. An
 * interrupted backup leaves the previous one intact. A file that the backup already has, by hash and size, is not read
 * again.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreMovedError } from '../documents/moving/moved.ts';
import { DATABASE_FILE } from '../documents/sqlite/database-file.ts';
import { snapshotDatabase } from '../documents/sqlite/snapshot.ts';
import { hasCode, ifThere } from '../runtime/absence.ts';
import { pause } from '../runtime/timers.ts';
import { BackupError, UnreadableFileError } from './errors.ts';
import { assertApart, type BackupFolder, openForBackup } from './folder.ts';
import { type BackupFile, ELSEWHERE, readManifest, writeManifest } from './manifest.ts';
import { isRestoreUnfinished } from './marker.ts';
import { otherFiles } from './other-files.ts';
import { type PromisedFile, readPromises, type SharedFiles } from './records.ts';

export interface BackupOptions {
  readonly dataDir: string;
  /** Folder of the backup; created if it does not exist. */
  readonly directory: string;
  /** Files of the datacenter outside the data folder, by the name that each gets in the backup. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Also verifies what the backup already has, and replaces what is damaged. */
  readonly reread?: boolean;
  readonly signal: AbortSignal;
  /** For tests: called after the documents were copied and before any file is. */
  readonly onDocuments?: () => Promise<void>;
}

export interface BackupReport {
  readonly made_at: string;
  readonly images: number;
  readonly files: number;
  readonly bytes: number;
  /** How much of that is new in the backup. */
  readonly added: { readonly files: number; readonly bytes: number };
  /** What records promise but the data folder lacks. */
  readonly missing: readonly MissingFile[];
  /** What is not in the backup because it lies in stores that are not on this machine, by the name of the store. */
  readonly shared: Readonly<Record<string, SharedFiles>>;
  /** What was left out because it is not a regular file. */
  readonly left_out: readonly string[];
  /** Other files that were left out because they cannot be read. */
  readonly unreadable: readonly UnreadableFile[];
}

export interface UnreadableFile {
  readonly path: string;
  readonly problem: string;
}

export interface MissingFile {
  readonly image: string;
  readonly name: string;
  readonly file: string;
  readonly problem: string;
}

/** How often documents are copied again because files disappear faster than they can be copied. */
const MOST_ROUNDS = 50;
/** Milliseconds for which a file has to be missing. */
const MISSING_MS = 1000;

/** @throws BackupError */
export async function backUp(options: BackupOptions): Promise<BackupReport> {
  const { dataDir, directory } = options;
  if (isRestoreUnfinished(dataDir)) throw new BackupError('NoDataFolder', `the restore into ${dataDir} is unfinished`);
  if (!(await sizeOf(join(dataDir, DATABASE_FILE)))) {
    throw new BackupError('NoDataFolder', `${dataDir} is not the data folder of a server: it has no ${DATABASE_FILE}`);
  }
  await assertApart(dataDir, directory);
  const folder = await openForBackup(directory);
  try {
    return await new Backup(options, folder).run();
  } finally {
    folder.close();
  }
}

class Backup {
  readonly #options: BackupOptions;
  readonly #folder: BackupFolder;
  /** The files of the previous backup, by path. */
  readonly #before = new Map<string, BackupFile>();
  /** The files that this backup has added. */
  readonly #brought: Pick<BackupFile, 'sha256'>[] = [];
  readonly #added = { files: 0, bytes: 0 };

  constructor(options: BackupOptions, folder: BackupFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  async run(): Promise<BackupReport> {
    const { directory, objects } = this.#folder;
    // An unreadable manifest is replaced; the bytes beside it are as good as before.
    const before = await readManifest(directory).catch(() => undefined);
    for (const file of before?.files ?? []) this.#before.set(file.path, file);
    const brought = await this.#bringAll().catch(async (error: unknown) => {
      // What interrupted backups left is kept for reuse until the space is needed.
      const keep = new Set([...this.#before.values(), ...this.#brought].map(({ sha256 }) => sha256));
      if (!isLackOfRoom(error) || (await objects.prune(keep)) === 0) throw error;
      return this.#bringAll();
    });
    const { files: others, leftOut, unreadable, made_at, images, shared, promised, missing } = brought;
    const files = [...others, ...promised].sort((a, b) => (a.path < b.path ? -1 : 1));
    await writeManifest(directory, { made_at, files });
    await objects.prune(new Set(files.map(({ sha256 }) => sha256)));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const added = this.#added;
    const lacks = { missing, shared, left_out: leftOut, unreadable };
    return { made_at, images, files: files.length, bytes, added, ...lacks };
  }

  async #bringAll() {
    const { files: promised, ...documents } = await this.#bringDocuments();
    // What documents say was archived, or of images that are no more, is there by now.
    const others = await this.#bringOthers();
    return { ...others, ...documents, promised };
  }

  /** The documents and every file that they promise. */
  async #bringDocuments() {
    let known = new Map<string, number>();
    for (let round = 1; ; round++) {
      const { made_at, database, promises } = await this.#readDocuments();
      await this.#options.onDocuments?.();
      const files = [database];
      const missing: MissingFile[] = [];
      const gone = new Map<string, number>();
      for (const promised of promises.files) {
        const found = await this.#bringPromised(promised);
        if (typeof found !== 'string') files.push(found);
        else {
          const { image, name, file } = promised;
          missing.push({ image, name, file, problem: found });
          const key = `${promised.path} ${promised.sha1}`;
          gone.set(key, known.get(key) ?? performance.now());
        }
      }
      // What snapshots promise for a second, and what is missing all that time, really is missing: the server may be waiting for a
      // processor between a file and its record.
      const since = performance.now() - MISSING_MS;
      if ([...gone.values()].every((first) => first < since) || round === MOST_ROUNDS) {
        return { made_at, images: promises.images, shared: promises.shared, files, missing };
      }
      if ([...gone.keys()].every((file) => known.has(file))) await pause(MISSING_MS / 4, this.#options.signal);
      known = gone;
    }
  }

  async #readDocuments() {
    const { objects } = this.#folder;
    const made_at = new Date().toISOString();
    const copy = await this.#folder.temporary(DATABASE_FILE);
    try {
      snapshotDatabase(join(this.#options.dataDir, DATABASE_FILE), copy);
      const promises = await readPromises(copy).catch(elsewhere);
      const { isNew, ...copied } = await objects.add(copy, this.#options.signal);
      this.#count(isNew, copied.size);
      return { made_at, promises, database: { path: DATABASE_FILE, ...copied, mtime: Date.parse(made_at) } };
    } finally {
      await rm(copy, { force: true });
    }
  }

  /** The file, or what is wrong with it. */
  async #bringPromised(promised: PromisedFile): Promise<BackupFile | string> {
    const { path, size, sha1, placing } = promised;
    const before = this.#before.get(path);
    const isBefore = before?.sha1 === sha1 && before.size === size;
    const sha256 = promised.sha256 ?? (isBefore ? before.sha256 : undefined);
    const held = sha256 !== undefined && (await this.#isHere(sha256, size));
    if (held) return { path, size, sha256, sha1, mtime: isBefore ? before.mtime : Date.now() };
    const brought = await this.#tryToBring(path, join(this.#options.dataDir, path));
    if (typeof brought === 'string') return brought;
    if (brought === undefined) return `${path} is missing`;
    const isRight = [promised, ...(placing ? [placing] : [])].some(
      (one) => one.size === brought.size && one.sha1 === brought.sha1,
    );
    return isRight ? brought : `${path} has ${brought.size} bytes with sha1 ${brought.sha1}, not ${size} with ${sha1}`;
  }

  async #bringOthers() {
    const { dataDir, elsewhere = {} } = this.#options;
    const files: BackupFile[] = [];
    const leftOut: string[] = [];
    const unreadable: UnreadableFile[] = [];
    for await (const { path, isFile } of otherFiles(dataDir)) {
      const brought = isFile ? await this.#tryToBring(path, join(dataDir, path)) : undefined;
      if (typeof brought === 'string') unreadable.push({ path, problem: brought });
      else if (brought) files.push(brought);
      else if (!isFile) leftOut.push(path);
    }
    for (const [name, from] of Object.entries(elsewhere)) {
      const brought = await this.#bring(`${ELSEWHERE}/${name}`, from);
      if (brought) files.push({ ...brought, from });
    }
    return { files, leftOut, unreadable };
  }

  /** Like `#bring`, but returns what is wrong with a file that cannot be read. */
  async #tryToBring(path: string, file: string): Promise<BackupFile | string | undefined> {
    try {
      return await this.#bring(path, file);
    } catch (error) {
      if (error instanceof UnreadableFileError) return error.message;
      throw error;
    }
  }

  /** Undefined if there is no such file (any more). @throws UnreadableFileError */
  async #bring(path: string, file: string): Promise<BackupFile | undefined> {
    const { objects } = this.#folder;
    try {
      const { mtimeMs: mtime, size } = await stat(file);
      const before = this.#before.get(path);
      const isSame = before !== undefined && before.size === size && before.mtime === mtime;
      if (isSame && (await this.#isHere(before.sha256, size))) return before;
      const { isNew, ...copied } = await objects.add(file, this.#options.signal);
      this.#brought.push(copied);
      this.#count(isNew, copied.size);
      return { path, ...copied, mtime };
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  async #isHere(sha256: string, size: number): Promise<boolean> {
    const { objects } = this.#folder;
    if (!(await objects.holds(sha256, size))) return false;
    return !this.#options.reread || (await objects.isSound(sha256, this.#options.signal));
  }

  #count(isNew: boolean, size: number): void {
    if (!isNew) return;
    this.#added.files++;
    this.#added.bytes += size;
  }
}

function isLackOfRoom(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'SQLITE_FULL');
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await ifThere(stat(file)))?.size;
}

/** A database that the documents have left is still there; its backup would be one of nothing. */
function elsewhere(error: unknown): never {
  if (error instanceof StoreMovedError) throw new BackupError('DocumentsElsewhere', error.message, { cause: error });
  throw error;
}
