/** Objects as files below a directory, which any number of processes on one machine may share. */
import { link, lstat, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type Logger from 'bunyan';
import { hasCode, ifThere } from '../../runtime/absence.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { assertTakesWrites, isDiskIll } from '../../runtime/disk-takes-writes.ts';
import { OneByOne } from '../../runtime/one-by-one.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import type { BackendOpenOptions, ObjectBackend } from '../backend.ts';
import { capabilities } from '../capabilities.ts';
import { InvalidPathError, InvalidSessionNameError, ObjectNotFoundError, UnsupportedError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import { ALGORITHMS, ALL_BUT_MD5, type Algorithm, allHashes } from '../hashing/algorithms.ts';
import { HashPool, type HashPoolOptions } from '../hashing/pool.ts';
import type {
  AdoptOptions,
  ByteSource,
  Entry,
  Hashes,
  ObjectInfo,
  ObjectStore,
  PiecesOptions,
  ReadOptions,
  SessionInfo,
} from '../object-store.ts';
import { boundsOf } from '../range.ts';
import { AdoptedSession, adoptFile } from './adopted-session.ts';
import { FOLDER_MODE, moveInto, pruneUpwards, syncUpwards } from './durable.ts';
import { isFull } from './failure.ts';
import { storeIdentity } from './identity.ts';
import { Layout } from './layout.ts';
import { findLeftovers, removeLeftover } from './leftovers.ts';
import { ObjectStream } from './object-stream.ts';
import { LocalPieces } from './pieces.ts';
import { Room } from './room.ts';
import { LocalSession } from './session.ts';
import { openIfThere, removeStaged, StagedFile, stagedBytes } from './staged-file.ts';
import { hashStored, openStored } from './stored-file.ts';
import { bytesBelow, bytesFreedBy } from './usage.ts';

export interface LocalStoreOptions {
  /** Directory of the store; created if it does not exist. Must lie within one file system. */
  readonly root: string;
  /** Default `local`. */
  readonly name?: string;
  /** Maximum bytes of all files below the root. Default: whatever the file system has free. */
  readonly quota?: number;
  /** Bytes of the file system to keep free for essential objects and other data. Default 0. */
  readonly headroom?: number;
  readonly clock?: Clock;
  readonly log?: Pick<Logger, 'info'>;
  readonly observer?: OperationObserver;
  readonly hashing?: HashPoolOptions;
}

export async function openLocalStore(options: LocalStoreOptions): Promise<ObjectStore> {
  return guardStore(await openLocalBackend(options), options.observer);
}

export async function openLocalBackend(options: Omit<LocalStoreOptions, 'observer'>): Promise<ObjectBackend> {
  const { root, name = 'local', quota, headroom = 0, clock = systemClock, log, hashing } = options;
  const layout = new Layout(resolve(root));
  const made = await mkdir(layout.staging, { recursive: true, mode: FOLDER_MODE }).catch(async (error: unknown) => {
    // Node.js says ENOENT where the disk is read-only.
    await assertTakesWrites(layout.root);
    throw error;
  });
  if (made !== undefined) {
    await syncUpwards(layout.staging, dirname(made));
  }
  const leftovers = await findLeftovers(layout, clock);
  await removeAll(layout, leftovers, log);
  const room = new Room({ root: layout.root, quota, headroom, clock });
  await room.count();
  return new LocalBackend({ name, layout, room, clock, hashing: new HashPool(hashing) });
}

/** Of a disk that takes no writes what is there can be read all the same. */
async function removeAll(layout: Layout, leftovers: readonly SessionInfo[], log: LocalStoreOptions['log']) {
  if (leftovers.length === 0) return;
  const { root } = layout;
  try {
    for (const { session } of leftovers) await removeLeftover(layout, session);
    log?.info({ root, leftovers: leftovers.length }, 'removed temporary files that dead processes left behind');
  } catch (error) {
    if (!isDiskIll(error)) throw error;
    log?.info({ err: error, root }, 'temporary files that dead processes left behind cannot be removed');
  }
}

interface LocalBackendOptions {
  readonly name: string;
  readonly layout: Layout;
  readonly room: Room;
  readonly clock: Clock;
  readonly hashing: HashPool;
}

class LocalBackend implements ObjectBackend {
  readonly name: string;
  readonly capabilities = capabilities({
    supportsLink: true,
    supportsServerCopy: 'makes no copies of its own, because links cost nothing',
    supportsSignedUrl: 'has no server of its own to serve URLs',
    supportsSiblings: 'has only one root, its own',
    supportsTakeOver: true,
    supportsExport: 'is a folder of the service alone',
    supportsAdoption: true,
    supportsPieces: true,
  });
  readonly #layout: Layout;
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #pool: HashPool;
  readonly #hashing = new OneByOne();
  /** Names of the sessions that are open in this process. */
  readonly #sessions = new Set<string>();

  constructor({ name, layout, room, clock, hashing }: LocalBackendOptions) {
    this.name = name;
    this.#layout = layout;
    this.#room = room;
    this.#clock = clock;
    this.#pool = hashing;
  }

  explain(error: unknown, needed: number): Promise<unknown> {
    return this.#room.explain(error, needed);
  }

  identity(): Promise<string> {
    return storeIdentity(this.#layout);
  }

  async info(path: string): Promise<ObjectInfo | undefined> {
    const found = await ifThere(lstat(this.#layout.resolve(path)));
    return found?.isFile() ? { path, size: found.size, mtime: found.mtime } : undefined;
  }

  async read(path: string, options: ReadOptions): Promise<{ info: ObjectInfo; stream: ByteSource }> {
    const { handle, info } = await openStored(path, this.#layout.resolve(path));
    try {
      return { info, stream: new ObjectStream({ handle, path, ...boundsOf(path, info.size, options) }) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }> {
    const { size, ...hashes } = await this.#hash(path, ALGORITHMS, signal);
    return { ...allHashes(hashes), size };
  }

  async md5(path: string, signal?: AbortSignal): Promise<Pick<Hashes, 'sha1' | 'md5'>> {
    const { sha1 = '', md5 = '' } = await this.#hash(path, ['sha1', 'md5'], signal);
    return { sha1, md5 };
  }

  async #hash(
    path: string,
    algorithms: readonly Algorithm[],
    signal: AbortSignal | undefined,
  ): Promise<Partial<Hashes> & { size: number }> {
    const stored = await openStored(path, this.#layout.resolve(path));
    const hash = this.#pool.open(algorithms);
    try {
      return await hashStored(stored, hash, signal);
    } finally {
      hash.close();
      await stored.handle.close();
    }
  }

  async open({ path, session: name, expect, essential, lateMd5 }: BackendOpenOptions): Promise<LocalSession> {
    const allotment = await this.#room.allot(this.#layout.staged(name), expect, essential);
    try {
      const session = new LocalSession({
        path,
        target: this.#layout.resolve(path),
        file: await StagedFile.create(this.#layout, name),
        hash: this.#pool.open(lateMd5 ? ALL_BUT_MD5 : ALGORITHMS),
        allotment,
        room: this.#room,
        remove: () => removeStaged(this.#layout, name),
        onEnd: () => this.#sessions.delete(name),
      });
      this.#sessions.add(name);
      return session;
    } catch (error) {
      allotment.settle(0);
      throw error;
    }
  }

  async adopt({ file, path, session: name }: AdoptOptions): Promise<AdoptedSession> {
    const layout = this.#layout;
    const handle = await adoptFile(layout, name, file);
    this.#sessions.add(name);
    return new AdoptedSession({
      ...{ layout, path, name, handle, size: (await handle.stat()).size, room: this.#room },
      hash: () => this.#pool.open(),
      onEnd: () => this.#sessions.delete(name),
    });
  }

  async openPieces({ path, session, size, earlier, lateMd5 }: PiecesOptions): Promise<LocalPieces> {
    const layout = this.#layout;
    const inherited = earlier?.isOver ? await StagedFile.inherit(layout, earlier.session, session) : undefined;
    const has = inherited?.extent ?? 0;
    // What is inherited counts as this session's from now on.
    this.#room.change(-has);
    let allotment: Awaited<ReturnType<Room['allot']>> | undefined;
    let handle: Awaited<ReturnType<typeof openIfThere>>;
    try {
      allotment = await this.#room.allot(layout.staged(session), size, false, has);
      handle = earlier && !inherited ? await openIfThere(layout.staged(earlier.session)) : undefined;
      const pieces = new LocalPieces({
        ...{ path, session, size, allotment, room: this.#room, hashing: this.#hashing },
        target: layout.resolve(path),
        file: inherited ?? (await StagedFile.create(layout, session)),
        staged: handle ? { size: (await handle.stat()).size, handle } : { size: has },
        hash: this.#pool.open(lateMd5 ? ALL_BUT_MD5 : ALGORITHMS),
        remove: () => removeStaged(layout, session),
        onEnd: () => this.#sessions.delete(session),
      });
      this.#sessions.add(session);
      return pieces;
    } catch (error) {
      allotment?.settle(0);
      this.#room.change(has);
      await handle?.close();
      await inherited?.close();
      if (inherited) await removeStaged(layout, session);
      throw error;
    }
  }

  staged(session: string, upTo: number): AsyncIterable<Uint8Array> {
    return stagedBytes(this.#layout.staged(session), upTo);
  }

  async discard(session: string): Promise<void> {
    const freed = await bytesFreedBy(this.#layout.staged(session));
    await removeStaged(this.#layout, session);
    // A session that is open here holds its bytes, and accounts for them, until it is closed.
    if (!this.#sessions.has(session)) this.#room.change(-freed);
  }

  async sessions(): Promise<SessionInfo[]> {
    const names = (await readdir(this.#layout.staging)).filter((name) => !this.#layout.isTemporary(name));
    const found = await Promise.all(
      names.map(async (session): Promise<SessionInfo[]> => {
        const stat = await ifThere(lstat(join(this.#layout.staging, session)));
        return stat === undefined ? [] : [{ session, size: stat.size, mtime: stat.mtime }];
      }),
    );
    return found.flat();
  }

  leftovers(age?: number): Promise<SessionInfo[]> {
    return findLeftovers(this.#layout, this.#clock, age);
  }

  async removeLeftover({ session, size }: SessionInfo): Promise<void> {
    if (!this.#layout.isTemporary(session) || session.includes('/')) throw new InvalidSessionNameError(session);
    await removeLeftover(this.#layout, session);
    this.#room.change(-size);
  }

  async link(from: string, to: string): Promise<void> {
    const source = this.#layout.resolve(from);
    const target = this.#layout.resolve(to);
    if (!(await ifThere(lstat(source)))?.isFile()) {
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
      // Renaming onto another name of the same file does nothing and leaves both names.
      await unlink(temporary).catch(() => undefined);
    }
    await syncUpwards(dirname(target), this.#layout.root);
  }

  async list(path: string): Promise<Entry[]> {
    const entries = (await ifThere(readdir(this.#layout.resolve(path), { withFileTypes: true }))) ?? [];
    return entries.map((entry) => ({ name: entry.name, type: entry.isDirectory() ? 'directory' : 'object' }));
  }

  async remove(path: string): Promise<void> {
    const file = this.#layout.resolve(path);
    if ((await ifThere(lstat(file)))?.isDirectory()) return;
    const freed = await bytesFreedBy(file);
    await ifThere(unlink(file));
    this.#room.change(-freed);
    await pruneUpwards(dirname(file), this.#layout.root);
  }

  async removeTree(path: string): Promise<void> {
    const directory = this.#layout.resolve(path);
    if ((await ifThere(lstat(directory)))?.isFile()) {
      return;
    }
    // Moved aside in one step, so that nobody sees half a tree, and new objects go into a new one.
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

  /** Hides a directory by moving it. Returns its new place, or the old one if the disk is too full to move it. */
  async #setAside(directory: string): Promise<string> {
    const temporary = this.#layout.temporary();
    try {
      await ifThere(rename(directory, temporary));
      return temporary;
    } catch (error) {
      if (isFull(error)) {
        return directory;
      }
      throw error;
    }
  }

  /** @throws the system's error if the disk takes no writes */
  async free(): Promise<number> {
    await assertTakesWrites(this.#layout.root);
    return this.#room.free();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function linkError(error: unknown, from: string, to: string): unknown {
  if (hasCode(error, 'ENOENT')) {
    return new ObjectNotFoundError(from, { cause: error });
  }
  if (hasCode(error, 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY')) {
    return new InvalidPathError(to, 'is a directory, or lies below an object', { cause: error });
  }
  // The file system has no hard links, or allows no more of them to this file.
  if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EXDEV', 'EMLINK')) {
    return new UnsupportedError('supportsLink', `${from} cannot be given another name`, { cause: error });
  }
  return error;
}
