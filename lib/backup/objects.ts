/** The bytes of a backup. Each content is stored once, in a file that is named by its sha256 and never changed. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncDirectory } from '../objects/local/durable.ts';
import { hasCode, ifThere } from '../runtime/absence.ts';
import { newUuid } from '../text/uuid.ts';
import { DamagedObjectError, UnreadableFileError } from './errors.ts';

export interface Copied {
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
}

const BLOCK = 1 << 20;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export class BackupObjects {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Where these bytes are stored, or would be. */
  path(sha256: string): string {
    return join(this.#root, sha256.slice(0, 2), sha256);
  }

  async holds(sha256: string, size: number): Promise<boolean> {
    return (await ifThere(stat(this.path(sha256))))?.size === size;
  }

  /** Whether the stored bytes still have their hash. */
  async isSound(sha256: string, signal: AbortSignal): Promise<boolean> {
    try {
      return (await hashFile(this.path(sha256), signal)).sha256 === sha256;
    } catch (error) {
      if (error instanceof UnreadableFileError) return false;
      throw error;
    }
  }

  /**
   * Adds a file; durable when this resolves.
   * @throws ENOENT when the file no longer exists, UnreadableFileError
   */
  async add(file: string, signal: AbortSignal): Promise<Copied & { readonly isNew: boolean }> {
    const temporary = join(this.#root, `adding.${newUuid()}`);
    try {
      const copied = await copyFile(file, temporary, signal);
      const isNew = !(await this.holds(copied.sha256, copied.size));
      const path = this.path(copied.sha256);
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      await rename(temporary, path);
      await syncDirectory(dirname(path));
      return { ...copied, isNew };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /**
   * Writes the bytes to `file`, which gets its name only once they are verified and durable; until then they are in
   * `temporary`, on the same file system. @throws DamagedObjectError
   */
  async takeOut(sha256: string, size: number, file: string, temporary: string, signal: AbortSignal): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE });
    await rm(temporary, { force: true });
    try {
      const copied = await copyFile(this.path(sha256), temporary, signal);
      if (copied.sha256 !== sha256 || copied.size !== size) {
        throw new DamagedObjectError(`its ${copied.size} bytes in the backup have sha256 ${copied.sha256}`);
      }
      await rename(temporary, file);
    } catch (error) {
      if (error instanceof UnreadableFileError) throw new DamagedObjectError(error.message, { cause: error });
      if (hasCode(error, 'ENOENT')) throw new DamagedObjectError('its bytes are not in the backup', { cause: error });
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(dirname(file));
  }

  /** Removes everything that is not in `keep`, and what interrupted additions left. Returns the bytes freed. */
  async prune(keep: ReadonlySet<string>): Promise<number> {
    let freed = 0;
    for (const entry of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || keep.has(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      freed += (await stat(path)).size;
      await rm(path);
    }
    return freed;
  }
}

async function hashFile(file: string, signal: AbortSignal): Promise<Copied> {
  return reading(file, signal, async () => {});
}

async function copyFile(from: string, to: string, signal: AbortSignal): Promise<Copied> {
  return reading(from, signal, async (source) => {
    await pipeline(source, createWriteStream(to, { flags: 'wx', mode: FILE_MODE, flush: true, highWaterMark: BLOCK }));
  });
}

/** Hashes a file while `use` reads its bytes; what `use` does not read is read to the end. */
async function reading(
  file: string,
  signal: AbortSignal,
  use: (source: AsyncIterable<Buffer>) => Promise<void>,
): Promise<Copied> {
  const sha1 = createHash('sha1');
  const sha256 = createHash('sha256');
  let size = 0;
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const chunk of chunksOf(file, signal)) {
      sha1.update(chunk);
      sha256.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  const source = hashed();
  await use(source);
  for await (const _ of source);
  return { size, sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}

/** @throws UnreadableFileError, to distinguish errors of reading from errors of writing */
async function* chunksOf(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stream = createReadStream(file, { highWaterMark: BLOCK, signal });
  try {
    yield* stream;
  } catch (error) {
    if (signal.aborted || hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new UnreadableFileError(`it cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
