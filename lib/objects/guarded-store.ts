/** The object store as callers see it: a backend, plus everything that is the same for all backends. */
import { addAbortSignal } from 'node:stream';
import { type OperationObserver, observed, UNOBSERVED } from '../runtime/operation-observer.ts';
import type { BackendSession, ObjectBackend } from './backend.ts';
import type { Capabilities, Capability } from './capabilities.ts';
import { ObjectNotFoundError, TooLargeError, UnsupportedError } from './errors.ts';
import { GuardedPieces } from './guarded-pieces.ts';
import { GuardedSession, type GuardedSessionOptions } from './guarded-session.ts';
import { assertForeignPath, assertPath, assertSessionName, isReserved } from './object-path.ts';
import type {
  AdoptOptions,
  ByteSource,
  Entry,
  ExportOptions,
  Hashes,
  ObjectInfo,
  ObjectStore,
  OpenOptions,
  PieceSession,
  PiecesOptions,
  ReadOptions,
  SessionInfo,
  WriteSession,
} from './object-store.ts';
import { SameStore } from './same-store.ts';

export function guardStore(backend: ObjectBackend, observer: OperationObserver = UNOBSERVED): ObjectStore {
  return new GuardedStore(backend, observer);
}

interface NamedSession {
  readonly path: string;
  readonly name: string;
  readonly limit: number | undefined;
}

class GuardedStore implements ObjectStore {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #backend: ObjectBackend;
  readonly #observer: OperationObserver;
  readonly #sessions = new Set<WriteSession>();
  readonly #same: SameStore;

  constructor(backend: ObjectBackend, observer: OperationObserver) {
    this.name = backend.name;
    this.capabilities = backend.capabilities;
    this.#backend = backend;
    this.#observer = observer;
    this.#same = new SameStore(backend.name, () => backend.identity());
  }

  identity(): Promise<string> {
    return this.#run('identity', () => this.#same.identity());
  }

  info(path: string): Promise<ObjectInfo | undefined> {
    return this.#run('info', () => {
      assertPath(path);
      return this.#same.orAbsent(this.#backend.info(path), isNotFound);
    });
  }

  read(path: string, options: ReadOptions = {}): Promise<{ info: ObjectInfo; stream: ByteSource }> {
    return this.#run('read', async () => {
      const { signal } = options;
      signal?.throwIfAborted();
      assertPath(path);
      const found = await this.#same.orAbsent(this.#backend.read(path, options), isNotFound);
      if (signal === undefined) return found;
      // Otherwise the stream would fail before anybody can listen to it.
      if (signal.aborted) found.stream.destroy();
      signal.throwIfAborted();
      return { info: found.info, stream: addAbortSignal(signal, found.stream) };
    });
  }

  hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }> {
    return this.#run('hash', () => {
      signal?.throwIfAborted();
      assertPath(path);
      return this.#same.orAbsent(this.#backend.hash(path, signal), isNotFound);
    });
  }

  md5(path: string, signal?: AbortSignal): Promise<Pick<Hashes, 'sha1' | 'md5'>> {
    return this.#run('hash', async () => {
      signal?.throwIfAborted();
      assertPath(path);
      const hashes = this.#backend.md5?.(path, signal) ?? this.#backend.hash(path, signal);
      const { sha1, md5 } = await this.#same.orAbsent(hashes, isNotFound);
      return { sha1, md5 };
    });
  }

  open(options: OpenOptions): Promise<WriteSession> {
    return this.#run('open', () => this.#open(options), options.expect);
  }

  async #open({
    path,
    session: name,
    takeOver,
    expect,
    limit,
    signal,
    essential,
    once,
    lateMd5,
  }: OpenOptions): Promise<WriteSession> {
    signal?.throwIfAborted();
    assertPath(path);
    assertSessionName(name);
    if (takeOver) {
      assertSessionName(takeOver.session);
      this.#assertCan('supportsTakeOver');
    }
    if (expect !== undefined && limit !== undefined && expect > limit) throw new TooLargeError(limit);
    await this.#same.assertRecently();
    const session = this.#guarded(
      await this.#backend.open({
        path,
        session: name,
        ...(expect !== undefined && { expect }),
        ...(essential !== undefined && { essential }),
        ...(once !== undefined && { once }),
        ...(lateMd5 !== undefined && { lateMd5 }),
      }),
      { path, name, limit },
    );
    const staged = takeOver && this.#backend.staged?.(takeOver.session, takeOver.upTo ?? Number.POSITIVE_INFINITY);
    if (staged) {
      try {
        await session.append(staged, signal ? { signal } : {});
      } catch (error) {
        await session.discard();
        throw error;
      }
    }
    return session;
  }

  adopt({ file, path, session: name }: AdoptOptions): Promise<WriteSession> {
    return this.#run('adopt', async () => {
      this.#assertCan('supportsAdoption');
      assertPath(path);
      assertSessionName(name);
      const adopted = await this.#backend.adopt?.({ file, path, session: name });
      return this.#guarded(adopted ?? this.#refuse('supportsAdoption'), { path, name, limit: undefined });
    });
  }

  openPieces(options: PiecesOptions): Promise<PieceSession> {
    const { path, session: name, size, earlier, signal } = options;
    return this.#run(
      'openPieces',
      async () => {
        signal?.throwIfAborted();
        this.#assertCan('supportsPieces');
        assertPath(path);
        assertSessionName(name);
        if (earlier) assertSessionName(earlier.session);
        await this.#same.assertRecently();
        const opened = (await this.#backend.openPieces?.(options)) ?? this.#refuse('supportsPieces');
        return this.#kept(new GuardedPieces(opened, this.#sessionOptions({ path, name, limit: size })));
      },
      size,
    );
  }

  discard(session: string): Promise<void> {
    return this.#run('discard', () => {
      assertSessionName(session);
      return this.#backend.discard(session);
    });
  }

  sessions(): Promise<SessionInfo[]> {
    return this.#run('sessions', () => this.#backend.sessions());
  }

  leftovers(age?: number): Promise<SessionInfo[]> {
    return this.#run('leftovers', () => this.#backend.leftovers(age));
  }

  removeLeftover(leftover: SessionInfo): Promise<void> {
    return this.#run('removeLeftover', () => this.#backend.removeLeftover(leftover));
  }

  link(from: string, to: string): Promise<void> {
    return this.#run('link', async () => {
      this.#assertCan('supportsLink');
      assertPath(from);
      assertPath(to);
      await this.#backend.link?.(from, to);
    });
  }

  serverCopy(from: string, to: string): Promise<void> {
    return this.#run('serverCopy', async () => {
      this.#assertCan('supportsServerCopy');
      assertPath(from);
      assertPath(to);
      await this.#backend.serverCopy?.(from, to);
    });
  }

  siblingPath(root: string, path: string): string {
    assertPath(path);
    this.#assertCan('supportsSiblings');
    return this.#backend.siblingPath?.(root, path) ?? this.#refuse('supportsSiblings');
  }

  list(path: string): Promise<Entry[]> {
    return this.#run('list', async () => {
      const isTop = path === '';
      if (!isTop) assertPath(path);
      const entries = await this.#backend.list(path);
      const shown = isTop ? entries.filter(({ name }) => !isReserved(name)) : entries;
      return shown.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  remove(path: string): Promise<void> {
    return this.#run('remove', () => {
      assertPath(path);
      return this.#backend.remove(path);
    });
  }

  removeTree(path: string): Promise<void> {
    return this.#run('removeTree', () => {
      assertPath(path);
      return this.#backend.removeTree(path);
    });
  }

  free(): Promise<number | undefined> {
    return this.#run('free', () => this.#backend.free());
  }

  signUrl(path: string, expires: Date): Promise<string> {
    return this.#run('signUrl', async () => {
      this.#assertCan('supportsSignedUrl');
      assertPath(path);
      return (await this.#backend.signUrl?.(path, expires)) ?? this.#refuse('supportsSignedUrl');
    });
  }

  isForeignDirectory(path: string): Promise<boolean> {
    return this.#run('isForeignDirectory', async () => {
      this.#assertCan('supportsExport');
      assertForeignPath(path);
      return (await this.#backend.isForeignDirectory?.(path)) ?? this.#refuse('supportsExport');
    });
  }

  exportTo(path: string, body: () => AsyncIterable<Uint8Array>, options: ExportOptions): Promise<void> {
    return this.#run('exportTo', async () => {
      options.signal?.throwIfAborted();
      this.#assertCan('supportsExport');
      assertForeignPath(path);
      await this.#backend.exportTo?.(path, body, options);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#backend.close();
  }

  #guarded(backend: BackendSession, named: NamedSession): GuardedSession {
    return this.#kept(new GuardedSession(backend, this.#sessionOptions(named)));
  }

  #kept<T extends GuardedSession>(session: T): T {
    this.#sessions.add(session);
    return session;
  }

  #sessionOptions({ path, name, limit }: NamedSession): GuardedSessionOptions {
    return {
      session: name,
      path,
      limit: limit ?? Number.POSITIVE_INFINITY,
      observer: this.#observer,
      explain: (error, needed) => this.#backend.explain(error, needed),
      onEnd: (ended) => this.#sessions.delete(ended),
    };
  }

  #assertCan(capability: Capability): void {
    if (!this.capabilities[capability]) this.#refuse(capability);
  }

  /** @throws UnsupportedError */
  #refuse(capability: Capability): never {
    const why = this.capabilities.reasons[capability] ?? `does not claim ${capability}`;
    throw new UnsupportedError(capability, `the object store "${this.name}" ${why}`);
  }

  /** Makes a call, times it and explains its failures. @param needed bytes that it is about to write */
  #run<T>(operation: string, call: () => Promise<T>, needed = 0): Promise<T> {
    return observed(this.#observer, operation, call, (error) => this.#backend.explain(error, needed));
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof ObjectNotFoundError;
}
