/**
 * Makes a data folder from a backup, verifying everything by its hash. Until everything is there, the folder counts as
 * unfinished, and no server starts on it. An interrupted restore continues when it is called again.
 */
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DATABASE_FILE } from '../documents/sqlite/database-file.ts';
import { problemOfDatabase } from '../documents/sqlite/snapshot.ts';
import { syncDirectory } from '../objects/local/durable.ts';
import { hasCode, ifThere } from '../runtime/absence.ts';
import { makeFolder } from '../runtime/make-folder.ts';
import type { MissingFile } from './back-up.ts';
import { BackupError, DamagedObjectError } from './errors.ts';
import { assertApart, type BackupFolder, namesIn, openForRestore } from './folder.ts';
import { type BackupFile, type Manifest, readManifest } from './manifest.ts';
import { RESTORE_MARKER } from './marker.ts';
import { type PromisedFile, readPromises } from './records.ts';

export interface RestoreOptions {
  /** Folder of the backup. */
  readonly directory: string;
  /** Must not exist yet, or be empty. */
  readonly dataDir: string;
  readonly signal: AbortSignal;
}

export interface RestoreReport {
  /** ISO date of the backup. */
  readonly made_at: string;
  readonly images: number;
  readonly files: number;
  readonly bytes: number;
  /** What records promise but the restored folder lacks. */
  readonly missing: readonly MissingFile[];
  /** What the backup should have but could not be restored, and no record promises. */
  readonly lost: readonly { readonly path: string; readonly problem: string }[];
  /** Files below `storage/images` that no record promises. */
  readonly extra: readonly string[];
  /** What was outside the data folder. */
  readonly elsewhere: readonly { readonly path: string; readonly from: string }[];
}

const IMAGES = 'storage/images';

/** @throws BackupError */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  await assertApart(options.dataDir, options.directory);
  const folder = await openForRestore(options.directory);
  try {
    const manifest = await readManifest(options.directory);
    if (!manifest) throw new BackupError('NotABackup', `${options.directory} holds no finished backup`);
    return await new Restore(options, folder, manifest).run();
  } finally {
    folder.close();
  }
}

class Restore {
  readonly #options: RestoreOptions;
  readonly #folder: BackupFolder;
  readonly #manifest: Manifest;
  readonly #problems = new Map<string, string>();
  /** Where bytes were placed, by sha256, so that images that shared them share them again. */
  readonly #placed = new Map<string, string>();
  readonly #temporary: string;

  constructor(options: RestoreOptions, folder: BackupFolder, manifest: Manifest) {
    this.#options = options;
    this.#folder = folder;
    this.#manifest = manifest;
    this.#temporary = join(options.dataDir, `${RESTORE_MARKER}.part`);
  }

  async run(): Promise<RestoreReport> {
    const { dataDir } = this.#options;
    const { made_at, files } = this.#manifest;
    const database = files.find(({ path }) => path === DATABASE_FILE);
    if (!database) throw new BackupError('Damaged', 'the backup has no documents');
    await this.#begin();
    const draft = join(dataDir, `${DATABASE_FILE}.restored`);
    await this.#bringDatabase(database, draft);
    for (const file of files) if (file !== database) await this.#place(file);
    const promises = await readPromises(draft);
    await rename(draft, join(dataDir, DATABASE_FILE));
    const missing = await this.#missing(promises.files);
    const promised = new Set(promises.files.map(({ path }) => path));
    const extra = files.map(({ path }) => path).filter((path) => isImageFile(path) && !promised.has(path));
    await rm(join(dataDir, RESTORE_MARKER));
    await syncDirectory(dataDir);
    const here = files.filter(({ path }) => !this.#problems.has(path));
    return {
      made_at,
      images: promises.images,
      files: here.length,
      bytes: here.reduce((sum, { size }) => sum + size, 0),
      missing,
      lost: [...this.#problems].flatMap(([path, problem]) => (promised.has(path) ? [] : [{ path, problem }])),
      extra: extra.filter((path) => !this.#problems.has(path)),
      elsewhere: here.flatMap(({ path, from }) => (from === undefined ? [] : [{ path, from }])),
    };
  }

  /** @throws BackupError when the folder holds anything but an interrupted restore of the same backup */
  async #begin(): Promise<void> {
    const { dataDir } = this.#options;
    const names = (await namesIn(dataDir))?.filter((name) => name !== 'lost+found') ?? [];
    const marker = join(dataDir, RESTORE_MARKER);
    if (names.length > 0) {
      const of = await readFile(marker, 'utf8').catch(() => undefined);
      if (of === undefined) throw new BackupError('NotEmpty', whyNotEmpty(dataDir, names));
      if (of.trim() === this.#manifest.made_at) return;
      throw new BackupError(
        'NotEmpty',
        `${dataDir} holds an unfinished restore of another backup: empty the folder first`,
      );
    }
    await makeFolder(dataDir, 0o700);
    await writeFile(marker, `${this.#manifest.made_at}\n`, { mode: 0o600, flush: true });
    await syncDirectory(dataDir);
  }

  async #bringDatabase({ sha256, size }: BackupFile, draft: string): Promise<void> {
    for (const name of [draft, `${draft}-wal`, `${draft}-shm`]) await rm(name, { force: true });
    const { objects, directory } = this.#folder;
    try {
      await objects.takeOut(sha256, size, draft, this.#temporary, this.#options.signal);
    } catch (error) {
      if (!(error instanceof DamagedObjectError)) throw error;
      const message = `the documents of the backup in ${directory} are damaged: ${error.message}`;
      throw new BackupError('Damaged', message, { cause: error });
    }
    const problem = problemOfDatabase(draft);
    if (problem) {
      throw new BackupError('Damaged', `the documents of the backup in ${directory} are damaged: ${problem}`);
    }
  }

  async #place({ path, size, sha256, mtime }: BackupFile): Promise<void> {
    const { dataDir, signal } = this.#options;
    const file = join(dataDir, path);
    try {
      // A file gets its name only after it was verified, so what an interrupted restore placed is right.
      if ((await sizeOf(file)) !== size && !(await this.#linked(sha256, file))) {
        await this.#folder.objects.takeOut(sha256, size, file, this.#temporary, signal);
        await utimes(file, mtime / 1000, mtime / 1000);
      }
      if (isImageFile(path)) this.#placed.set(sha256, file);
    } catch (error) {
      if (!(error instanceof DamagedObjectError)) throw error;
      this.#problems.set(path, error.message);
    }
  }

  async #linked(sha256: string, file: string): Promise<boolean> {
    const placed = this.#placed.get(sha256);
    if (placed === undefined) return false;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    try {
      await link(placed, file);
      await syncDirectory(dirname(file));
      return true;
    } catch (error) {
      // The file system has no hard links, or allows no more of them to this file.
      if (hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) return false;
      throw error;
    }
  }

  async #missing(promises: readonly PromisedFile[]): Promise<MissingFile[]> {
    const missing: MissingFile[] = [];
    for (const { image, name, file, path, size, placing } of promises) {
      const found = await sizeOf(join(this.#options.dataDir, path));
      if (found === size || (found !== undefined && found === placing?.size)) continue;
      missing.push({
        image,
        name,
        file,
        problem: this.#problems.get(path) ?? 'it was missing when the backup was made',
      });
    }
    return missing;
  }
}

function isImageFile(path: string): boolean {
  return path.startsWith(`${IMAGES}/`);
}

function whyNotEmpty(dataDir: string, names: readonly string[]): string {
  const what = names.includes(DATABASE_FILE) ? 'has the data of a server' : `is not empty (it has ${names[0]})`;
  return `${dataDir} ${what}: stop the server that uses it, and move the folder away`;
}

async function sizeOf(file: string): Promise<number | undefined> {
  const found = await ifThere(stat(file));
  return found?.isFile() ? found.size : undefined;
}
