/** A session over a file that is on this machine already: its staging is another name of that file. */
import { type FileHandle, link, lstat, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, ifThere } from '../../runtime/absence.ts';
import type { BackendSession } from '../backend.ts';
import { InvalidPathError, SessionExistsError, SessionGoneError, UnsupportedError } from '../errors.ts';
import { allHashes } from '../hashing/algorithms.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { Hashes, ObjectInfo } from '../object-store.ts';
import { moveInto, syncDirectory, syncUpwards } from './durable.ts';
import type { Layout } from './layout.ts';
import type { Room } from './room.ts';
import { removeStaged } from './staged-file.ts';
import { hashStored } from './stored-file.ts';
import { bytesFreedBy } from './usage.ts';

/** @throws UnsupportedError for what is no regular file, lies in another file system, or may not be linked by this user */
export async function adoptFile(layout: Layout, session: string, file: string): Promise<FileHandle> {
  const staged = layout.staged(session);
  try {
    await link(file, staged);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new SessionExistsError(session, { cause: error });
    if (!hasCode(error, 'EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    throw new UnsupportedError('supportsAdoption', `${file} cannot be given another name here`, { cause: error });
  }
  try {
    if (!(await lstat(staged)).isFile()) {
      throw new UnsupportedError('supportsAdoption', `${file} is not a regular file`);
    }
    return await open(staged, 'r');
  } catch (error) {
    await unlink(staged);
    throw error;
  }
}

export interface AdoptedSessionOptions {
  readonly layout: Layout;
  readonly path: string;
  readonly name: string;
  readonly handle: FileHandle;
  readonly size: number;
  readonly room: Room;
  readonly hash: () => HashStream;
  readonly onEnd: () => void;
}

export class AdoptedSession implements BackendSession {
  readonly #options: AdoptedSessionOptions;
  #ended = false;

  constructor(options: AdoptedSessionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.size;
  }

  async append(): Promise<void> {
    throw new Error(`the bytes of ${this.#options.name} are there already; nothing can be added to them`);
  }

  async flush(): Promise<void> {
    await this.#options.handle.sync();
    await syncDirectory(this.#options.layout.staging);
  }

  async hashes(): Promise<Hashes> {
    const { handle, path, size } = this.#options;
    const hash = this.#options.hash();
    try {
      const { mtime } = await handle.stat();
      return allHashes(await hashStored({ handle, info: { path, size, mtime } }, hash));
    } finally {
      hash.close();
    }
  }

  async commit(): Promise<ObjectInfo> {
    const { layout, path, name, handle, room } = this.#options;
    const target = layout.resolve(path);
    const replaced = room.limited ? await bytesFreedBy(target) : 0;
    await handle.sync();
    try {
      await moveInto(layout.staged(name), target);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw new SessionGoneError(name, { cause: error });
      if (!hasCode(error, 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY')) throw error;
      throw new InvalidPathError(path, 'is a directory, or lies below an object', { cause: error });
    }
    // Renaming onto another name of the same file does nothing and leaves both names.
    await ifThere(unlink(layout.staged(name)));
    await syncUpwards(dirname(target), layout.root);
    const { size, mtime } = await handle.stat();
    await this.close();
    room.change(size - replaced);
    return { path, size, mtime };
  }

  async discard(): Promise<void> {
    await removeStaged(this.#options.layout, this.#options.name);
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd();
    await this.#options.handle.close();
  }
}
