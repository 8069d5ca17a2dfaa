/** Objects as files below a directory, which any number of processes of one machine may share. */
import { link, lstat, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type Logger from 'bunyan';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import {
  InvalidPathError,
  InvalidSessionNameError,
  LinkUnsupportedError,
  ObjectNotFoundError,
  TooLargeError,
} from '../errors.ts';
import { HashPool } from '../hashing/pool.ts';
import type {
  ByteSource,
  Hashes,
  ObjectInfo,
  ObjectStore,
  OpenOptions,
  ReadOptions,
  SessionInfo,
  WriteSession,
} from '../object-store.ts';
import { FOLDER_MODE, hasCode, moveInto, pruneUpwards, syncUpwards } from './durable.ts';
import { isFull } from './failure.ts';
import { storeIdentity } from './identity.ts';
import { Layout } from './layout.ts';
import { findLeftovers, removeLeftover } from './leftovers.ts';
import { ObjectStream } from './object-stream.ts';
import { boundsOf } from './range.ts';
import { type Allotment, Room } from './room.ts';
import { LocalSession } from './session.ts';
import { removeStaged, StagedFile } from './staged-file.ts';
import { hashStored, openStored } from './stored-file.ts';
import { stagedBytes } from './take-over.ts';
import { bytesBelow, bytesFreedBy } from './usage.ts';

export interface LocalStoreOptions {
  /** Directory of the store; made when it is not there. All of it must be one file system. */
  readonly root: string;
  /** Default `local`. */
  readonly name?: string;
  /** Bytes that all files below the root may take together. Default: what the file system has free. */
  readonly quota?: number;
  /** Bytes of the file system that stay free for essential objects and for whatever else lies there. Default 0. */
  readonly headroom?: number;
  readonly clock?: Clock;
  readonly log?: Pick<Logger, 'info'>;
}

export async function openLocalStore(options: LocalStoreOptions): Promise<ObjectStore> {
  const { root, name = 'local', quota, headroom = 0, clock = systemClock, log } = options;
  const layout = new Layout(resolve(root));
  const made = await mkdir(layout.staging, { recursive: true, mode: FOLDER_MODE });
  if (made !== undefined) {
    await syncUpwards(layout.staging, dirname(made));
  }
  const leftovers = await findLeftovers(layout, clock);
  for (const { session } of leftovers) {
    await removeLeftover(layout, session);
  }
  if (leftovers.length > 0) {
    log?.info({ root, leftovers: leftovers.length }, 'removed what a dead process left under temporary names');
  }
  const room = new Room({ root: layout.root, quota, headroom, clock });
  await room.count();
  return new LocalStore(name, layout, room, clock);
}

class LocalStore implements ObjectStore {
  readonly name: string;
  readonly #layout: Layout;
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #pool = new HashPool();
  readonly #sessions = new Set<LocalSession>();

  constructor(name: string, layout: Layout, room: Room, clock: Clock) {
    this.name = name;
    this.#layout = layout;
    this.#room = room;
    this.#clock = clock;
  }

  identity(): Promise<string> {
    return this.#explained(() => storeIdentity(this.#layout));
  }

  info(path: string): Promise<ObjectInfo | undefined> {
    return this.#explained(async () => {
      const found = await statOf(this.#layout.resolve(path));
      return found?.isFile() ? { path, size: found.size, mtime: found.mtime } : undefined;
    });
  }

  read(path: string, options: ReadOptions = {}): Promise<{ info: ObjectInfo; stream: ByteSource }> {
    return this.#explained(async () => {
      options.signal?.throwIfAborted();
      const { handle, info } = await openStored(path, this.#layout.resolve(path));
      try {
        // Else the stream would fail before anybody can listen to it.
        options.signal?.throwIfAborted();
        const stream = new ObjectStream({ handle, path, ...boundsOf(path, info.size, options) });
        return { info, stream: options.signal === undefined ? stream : addAbortSignal(options.signal, stream) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }> {
    return this.#explained(async () => {
      signal?.throwIfAborted();
      const stored = await openStored(path, this.#layout.resolve(path));
      const hash = this.#pool.open();
      try {
        return await hashStored(stored, hash, signal);
      } finally {
        hash.close();
        await stored.handle.close();
      }
    });
  }

  open(options: OpenOptions): Promise<WriteSession> {
    return this.#explained(() => this.#open(options));
  }

  async #open(options: OpenOptions): Promise<WriteSession> {
    const { path, session: name, takeOver, expect, limit = Number.POSITIVE_INFINITY, signal, essential } = options;
    signal?.throwIfAborted();
    const target = this.#layout.resolve(path);
    const staged = this.#layout.staged(name);
    const earlier = takeOver && this.#layout.staged(takeOver.session);
    if (expect !== undefined && expect > limit) {
      throw new TooLargeError(limit);
    }
    const allotment = await this.#room.allot(staged, expect, essential);
    const session = await this.#begin(name, path, target, allotment, expect, limit);
    if (earlier !== undefined) {
      try {
        await session.append(stagedBytes(earlier, takeOver?.upTo ?? Number.POSITIVE_INFINITY), {
          ...(signal && { signal }),
        });
      } catch (error) {
        await session.discard();
        throw error;
      }
    }
    return session;
  }

  discard(session: string): Promise<void> {
    return this.#explained(async () => {
      const staged = this.#layout.staged(session);
      const freed = await bytesFreedBy(staged);
      await removeStaged(this.#layout, session);
      // The bytes of a session that is open here are held, and accounted for, until it is closed.
      if (![...this.#sessions].some((open) => open.session === session)) {
        this.#room.change(-freed);
      }
    });
  }

  sessions(): Promise<SessionInfo[]> {
    return this.#explained(async () => {
      const names = (await readdir(this.#layout.staging)).filter((name) => !this.#layout.isTemporary(name));
      const found = await Promise.all(
        names.map(async (session): Promise<SessionInfo[]> => {
          const stat = await statOf(join(this.#layout.staging, session));
          return stat === undefined ? [] : [{ session, size: stat.size, mtime: stat.mtime }];
        }),
      );
      return found.flat();
    });
  }

  leftovers(age?: number): Promise<SessionInfo[]> {
    return this.#explained(() => findLeftovers(this.#layout, this.#clock, age));
  }

  removeLeftover({ session, size }: SessionInfo): Promise<void> {
    return this.#explained(async () => {
      if (!this.#layout.isTemporary(session) || session.includes('/')) {
        throw new InvalidSessionNameError(session);
      }
      await removeLeftover(this.#layout, session);
      this.#room.change(-size);
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.#explained(() => this.#link(from, to));
  }

  async #link(from: string, to: string): Promise<void> {
    const source = this.#layout.resolve(from);
    const target = this.#layout.resolve(to);
    if (!(await statOf(source))?.isFile()) {
      throw new ObjectNotFoundError(from);
    }
    const temporary = this.#layout.temporary();
    try {
      await link(source, temporary);
      const replaced = await bytesFreedBy(target);
      await moveInto(temporary, target);
      this.#room.change(-replaced);
    } catch (error) {
      throw linkError(error, from, to);
    } finally {
      // A rename onto another name of the same file does nothing, and leaves both.
      await unlink(temporary).catch(() => undefined);
    }
    await syncUpwards(dirname(target), this.#layout.root);
  }

  list(path: string): Promise<{ name: string; type: 'object' | 'directory' }[]> {
    return this.#explained(async () => {
      const top = path === '';
      const entries = await entriesOf(top ? this.#layout.root : this.#layout.resolve(path));
      return entries
        .filter((entry) => !(top && this.#layout.isReserved(entry.name)))
        .map((entry) => ({
          name: entry.name,
          type: entry.isDirectory() ? ('directory' as const) : ('object' as const),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  remove(path: string): Promise<void> {
    return this.#explained(async () => {
      const file = this.#layout.resolve(path);
      if ((await statOf(file))?.isDirectory()) {
        return;
      }
      const freed = await bytesFreedBy(file);
      await ignoringAbsence(unlink(file));
      this.#room.change(-freed);
      await pruneUpwards(dirname(file), this.#layout.root);
    });
  }

  removeTree(path: string): Promise<void> {
    return this.#explained(() => this.#removeTree(path));
  }

  async #removeTree(path: string): Promise<void> {
    const directory = this.#layout.resolve(path);
    if ((await statOf(directory))?.isFile()) {
      return;
    }
    // In one step, so that nobody sees half a tree and whoever adds to it meanwhile begins a new one.
    const temporary = await this.#setAside(directory);
    if (temporary !== directory) {
      await pruneUpwards(dirname(directory), this.#layout.root);
    }
    const freed = this.#room.limited ? await bytesBelow(temporary) : 0;
    await rm(temporary, { recursive: true, force: true });
    this.#room.change(-freed);
    if (temporary === directory) {
      await pruneUpwards(dirname(directory), this.#layout.root);
    }
  }

  /** Where a directory lies that nobody is to find any more; where it lay when a full disk has no room for the name. */
  async #setAside(directory: string): Promise<string> {
    const temporary = this.#layout.temporary();
    try {
      await ignoringAbsence(rename(directory, temporary));
      return temporary;
    } catch (error) {
      if (isFull(error)) {
        return directory;
      }
      throw error;
    }
  }

  free(): Promise<number> {
    return this.#explained(() => this.#room.free());
  }

  async signUrl(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#pool.close();
  }

  /** A call whose failures are those of the store. */
  async #explained<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw await this.#room.explain(error, 0);
    }
  }

  async #begin(
    name: string,
    path: string,
    target: string,
    allotment: Allotment,
    expect: number | undefined,
    limit: number,
  ): Promise<LocalSession> {
    try {
      const session = new LocalSession({
        session: name,
        path,
        target,
        file: await StagedFile.create(this.#layout, name),
        hash: this.#pool.open(),
        allotment,
        room: this.#room,
        limit,
        remove: () => removeStaged(this.#layout, name),
        onEnd: (ended) => this.#sessions.delete(ended),
      });
      this.#sessions.add(session);
      return session;
    } catch (error) {
      allotment.settle(0);
      throw await this.#room.explain(error, expect ?? 0);
    }
  }
}

async function statOf(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return [];
    }
    throw error;
  }
}

async function ignoringAbsence(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) {
      throw error;
    }
  }
}

function linkError(error: unknown, from: string, to: string): unknown {
  if (hasCode(error, 'ENOENT')) {
    return new ObjectNotFoundError(from, { cause: error });
  }
  if (hasCode(error, 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY')) {
    return new InvalidPathError(to, 'is a directory, or lies below an object', { cause: error });
  }
  // A file system without hard links, or one that takes no more of them for this file.
  if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EXDEV', 'EMLINK')) {
    return new LinkUnsupportedError(`${from} cannot have a second name`, { cause: error });
  }
  return error;
}
