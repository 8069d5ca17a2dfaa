import { type FileHandle, link, open, unlink } from 'node:fs/promises';
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

/**
 * The staged bytes of one session: a file that grows at its end, until it is renamed or removed. Bytes may be written beyond
 * its end as well; they count once the end has come to them.
 */
export class StagedFile {
  readonly #layout: Layout;
  readonly #session: string;
  readonly #handle: FileHandle;
  #size = 0;
  /** The end of the last byte in the file. */
  #extent = 0;
  /** Bytes written since the last sync began. */
  #unsynced = 0;
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
      return new StagedFile(layout, session, await open(layout.staged(session), 'wx+', FILE_MODE));
    } catch (error) {
      throw hasCode(error, 'EEXIST') ? new SessionExistsError(session, { cause: error }) : error;
    }
  }

  /**
   * Gives the file of an earlier session, whose writer is over, to a new one: a second name, for as long as both are needed.
   * Undefined if there is no such file.
   */
  static async inherit(layout: Layout, earlier: string, session: string): Promise<StagedFile | undefined> {
    try {
      await link(layout.staged(earlier), layout.staged(session));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw hasCode(error, 'EEXIST') ? new SessionExistsError(session, { cause: error }) : error;
    }
    const staged = new StagedFile(layout, session, await open(layout.staged(session), 'r+'));
    staged.#extent = (await staged.#handle.stat()).size;
    return staged;
  }

  /** The end of the last byte in the file, beyond which there are not even gaps. */
  get extent(): number {
    return this.#extent;
  }

  /** Bytes written, including those of an append that failed halfway. */
  get size(): number {
    return this.#size;
  }

  async append(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const written = await this.#write(bytes.subarray(done), this.#size);
      done += written;
      this.#size += written;
    }
    this.#syncSometimes();
  }

  /** Writes bytes at their place, without counting them. */
  async writeAt(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += await this.#write(bytes.subarray(done), at + done);
    this.#syncSometimes();
  }

  /** Fills the block from a place in the file; returns how many bytes there were. */
  async readAt(block: Uint8Array, at: number): Promise<number> {
    return readFully(this.#handle, block, at);
  }

  /** Counts bytes at the end that have been written there already. */
  advance(bytes: number): void {
    this.#size += bytes;
  }

  /** Counts none of the bytes that are there. */
  rewind(): void {
    this.#size = 0;
  }

  async #write(bytes: Uint8Array, at: number): Promise<number> {
    const { bytesWritten } = await this.#handle.write(bytes, 0, bytes.length, at);
    this.#extent = Math.max(this.#extent, at + bytesWritten);
    this.#unsynced += bytesWritten;
    return bytesWritten;
  }

  #syncSometimes(): void {
    if (this.#syncing === undefined && this.#unsynced >= SYNC_EVERY) this.#syncing = this.#syncAhead();
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
      return !this.#isPlaced && (await this.#isNamed()) ? this.#extent : 0;
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
    this.#unsynced = 0;
    try {
      await this.#handle.datasync();
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

/** Fills the block from a place in a file; returns how many bytes there were. */
export async function readFully(handle: FileHandle, block: Uint8Array, at: number): Promise<number> {
  for (let filled = 0; ; ) {
    const { bytesRead } = await handle.read(block, filled, block.length - filled, at + filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === block.length) return filled;
  }
}

export async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw storeFailure(error);
  }
}
