import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, ifThere } from '../../runtime/absence.ts';
import { InvalidPathError, SessionExistsError, SessionGoneError } from '../errors.ts';
import type { ObjectInfo } from '../object-store.ts';
import { FILE_MODE, moveInto, syncDirectory, syncUpwards } from './durable.ts';
import { storeFailure } from './failure.ts';
import type { Layout } from './layout.ts';

/** Bytes after which a sync begins while more bytes come, so that the last sync has little left to do. */
const SYNC_EVERY = 32 * 1024 * 1024;
/** Bytes that a take-over reads at a time. */
const CHUNK = 512 * 1024;

/** The staged bytes of one session: a file that grows at its end, until it is renamed or removed. */
export class StagedFile {
  readonly #layout: Layout;
  readonly #session: string;
  readonly #handle: FileHandle;
  #size = 0;
  #synced = 0;
  #syncing: Promise<void> | undefined;
  #syncFailure: unknown;
  /** Whether the file's name is durable too. */
  #isNameDurable = false;
  #isPlaced = false;

  private constructor(layout: Layout, session: string, handle: FileHandle) {
    this.#layout = layout;
    this.#session = session;
    this.#handle = handle;
  }

  /** @throws SessionExistsError */
  static async create(layout: Layout, session: string): Promise<StagedFile> {
    try {
      return new StagedFile(layout, session, await open(layout.staged(session), 'wx', FILE_MODE));
    } catch (error) {
      throw hasCode(error, 'EEXIST') ? new SessionExistsError(session, { cause: error }) : error;
    }
  }

  /** Bytes written, including those of an append that failed halfway. */
  get size(): number {
    return this.#size;
  }

  async append(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size);
      done += bytesWritten;
      this.#size += bytesWritten;
    }
    if (this.#syncing === undefined && this.#size - this.#synced >= SYNC_EVERY) {
      this.#syncing = this.#syncAhead();
    }
  }

  /** @throws SessionGoneError when the file no longer has a name */
  async flush(): Promise<void> {
    await this.#sync();
    if (!this.#isNameDurable) {
      await syncDirectory(this.#layout.staging);
      this.#isNameDurable = true;
    }
  }

  /**
   * Renames the file to the object's name. A discard removes the same name that is renamed here, so only one of the two
   * can succeed. May be called again if it fails.
   */
  async place(path: string, target: string): Promise<ObjectInfo> {
    if (!this.#isPlaced) {
      await this.#sync();
      await this.#rename(path, target);
      this.#isPlaced = true;
    }
    await syncUpwards(dirname(target), this.#layout.root);
    const { size, mtime } = await this.#handle.stat();
    return { path, size, mtime };
  }

  /** Closes the file; returns how many bytes stay staged. */
  async close(): Promise<number> {
    try {
      await this.#syncing;
      return !this.#isPlaced && (await this.#isNamed()) ? this.#size : 0;
    } finally {
      await this.#handle.close();
    }
  }

  async #sync(): Promise<void> {
    await this.#syncing;
    await this.#handle.sync();
    // The system reports a failed write-back only once; later calls must fail all the same.
    if (this.#syncFailure !== undefined) {
      throw this.#syncFailure;
    }
    if (!(await this.#isNamed())) {
      throw new SessionGoneError(this.#session);
    }
  }

  async #rename(path: string, target: string): Promise<void> {
    try {
      await moveInto(this.#layout.staged(this.#session), target);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) {
        throw new SessionGoneError(this.#session, { cause: error });
      }
      if (hasCode(error, 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY')) {
        throw new InvalidPathError(path, 'is a directory, or lies below an object', { cause: error });
      }
      throw error;
    }
  }

  async #isNamed(): Promise<boolean> {
    return (await this.#handle.stat()).nlink > 0;
  }

  async #syncAhead(): Promise<void> {
    const size = this.#size;
    try {
      await this.#handle.datasync();
      this.#synced = size;
    } catch (error) {
      this.#syncFailure = error;
    } finally {
      this.#syncing = undefined;
    }
  }
}

/** Removes a session's staged bytes, if there are any. */
export async function removeStaged(layout: Layout, session: string): Promise<void> {
  await ifThere(unlink(layout.staged(session)));
}

/**
 * The bytes that a session has staged, at most `upTo`; none if there is no such session. Each piece is valid until the
 * next one is asked for. The session's writer may still be appending.
 */
export async function* stagedBytes(file: string, upTo: number): AsyncGenerator<Uint8Array> {
  const handle = await openIfThere(file);
  if (handle === undefined) {
    return;
  }
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  try {
    for (let at = 0; at < upTo; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, upTo - at), at).catch((error: unknown) => {
        throw storeFailure(error);
      });
      if (bytesRead === 0) {
        return;
      }
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw storeFailure(error);
  }
}
