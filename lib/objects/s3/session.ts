import { timeLimit } from '../../runtime/timers.ts';
import type { BackendSession } from '../backend.ts';
import type { BlockPool } from '../block-pool.ts';
import { InvalidPathError, ObjectStoreUnavailableError, SessionGoneError } from '../errors.ts';
import { HashFeed } from '../hashing/feed.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { Hashes, ObjectInfo } from '../object-store.ts';
import type { S3Calls } from './calls.ts';
import { copyWithin } from './copying.ts';
import { Filling } from './filling.ts';
import { type FoundObject, headObject, putObject } from './objects.ts';
import { Parts } from './parts.ts';
import type { Staging } from './staging.ts';
import { abortUpload, completeUpload, createUpload, type UploadId } from './uploads.ts';

export interface S3SessionOptions {
  readonly session: string;
  readonly path: string;
  /** Nobody takes the bytes over: parts may go straight to the final key. */
  readonly once: boolean;
  readonly calls: S3Calls;
  readonly pool: BlockPool;
  readonly staging: Staging;
  readonly hash: HashStream;
  /** What is in the way of an object at the path, if anything. */
  readonly obstacle: () => Promise<string | undefined>;
}

/** How long closing waits for a store that may be down, in milliseconds. */
const LAST_WORDS_MS = 5_000;

/**
 * Bytes become parts of an upload as they fill blocks, and the commit completes it: under the final key, or under one of
 * its own from where the store copies it. What never filled a block is one plain object.
 */
export class S3Session implements BackendSession {
  readonly #options: S3SessionOptions;
  readonly #parts: Parts;
  readonly #filling: Filling;
  readonly #feed: HashFeed;
  /** Asked for at the beginning, so that the commit need not wait for it. */
  readonly #obstacle: Promise<string | undefined>;
  #completed = false;
  #placed: ObjectInfo | undefined;
  #ended = false;

  constructor(options: S3SessionOptions) {
    this.#options = options;
    const { session, calls, pool, staging, hash } = options;
    this.#parts = new Parts({ session, calls, pool, begin: () => this.#begin() });
    this.#filling = new Filling({ session, calls, pool, staging, parts: this.#parts });
    this.#feed = new HashFeed(hash);
    this.#obstacle = options.obstacle();
    this.#obstacle.catch(() => undefined);
  }

  get size(): number {
    return this.#parts.size + this.#filling.length;
  }

  async append(
    source: AsyncIterable<Uint8Array>,
    onProgress?: (size: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      this.#parts.retry();
      for await (const piece of source) {
        await this.#write(piece, signal);
        if (piece.length > 0) onProgress?.(this.size);
      }
    } finally {
      this.#feed.flush();
    }
  }

  async flush(): Promise<void> {
    const { session, once, staging } = this.#options;
    await this.#parts.settle();
    if (!once) await this.#filling.save();
    await staging.write(session, {}, once ? this.#parts.size : this.size);
  }

  hashes(): Promise<Hashes> {
    return this.#options.hash.digest();
  }

  async commit(): Promise<ObjectInfo> {
    const { session, staging } = this.#options;
    this.#placed ??= await staging.placing(session, (onDoubt) => this.#place(onDoubt));
    // First, because memory that is asked for elsewhere may still be saved until then.
    await this.#release();
    const tail = this.#filling.hasTail ? [staging.keys.tail(session)] : [];
    const body = this.#completed && !this.#options.once ? [staging.keys.body(session)] : [];
    // The object is in its place. What is left is found in the register, and removed later.
    await staging.finish(session, [...tail, ...body]).catch(() => undefined);
    return this.#placed;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await this.#release(this.#options.once ? undefined : () => this.flush());
  }

  async discard(): Promise<void> {
    await this.#release();
    await this.#options.staging.discard(this.#options.session);
  }

  async #write(piece: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let rest = piece; rest.length > 0; ) {
      const taken = await this.#filling.add(rest, signal);
      await this.#feed.write(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      if (this.#filling.length === this.#options.pool.blockSize) await this.#filling.submit(signal);
    }
  }

  async #begin(): Promise<UploadId> {
    const { calls, session, staging } = this.#options;
    const upload = await createUpload(calls, this.#target, session);
    try {
      await staging.write(session, { upload });
    } catch (error) {
      await abortUpload(calls, upload).catch(() => undefined);
      throw error;
    }
    return upload;
  }

  get #target(): string {
    const { session, path, staging, once } = this.#options;
    return once ? staging.keys.of(path) : staging.keys.body(session);
  }

  async #place(onDoubt: () => void): Promise<ObjectInfo> {
    await this.#assertFree();
    const { calls, path, staging, session, once } = this.#options;
    const key = staging.keys.of(path);
    const size = this.size;
    if (this.#parts.size === 0 && !this.#completed) {
      // An upload ends with its session, whatever comes late; of one object only the claim keeps others away.
      await this.#filling.use((bytes) => putObject(calls, key, bytes, { session, onDoubt }));
    } else {
      await this.#complete();
      if (!once) await this.#copyToFinal(key, size);
    }
    const stored = await headObject(calls, key);
    // Another session may have replaced it already.
    if (stored?.session !== session) return { path, size, mtime: stored?.mtime ?? new Date() };
    if (stored.size !== size) throw wrongSize(stored, size);
    return { path, size, mtime: stored.mtime };
  }

  async #complete(): Promise<void> {
    if (this.#completed) return;
    await this.#filling.submit();
    const parts = await this.#parts.settle();
    const { calls, session } = this.#options;
    if (!(await completeUpload(calls, await this.#parts.upload(), parts, session))) throw new SessionGoneError(session);
    this.#completed = true;
  }

  async #copyToFinal(to: string, size: number): Promise<void> {
    const { calls, session, staging } = this.#options;
    const from = staging.keys.body(session);
    const source = await headObject(calls, from);
    if (!source) throw new SessionGoneError(session);
    if (source.size !== size) throw wrongSize(source, size);
    await copyWithin(calls, { from, to, source, session, onUpload: (copy) => staging.write(session, { copy }) });
  }

  /** Looks again before it refuses: what was in the way at the beginning may be gone. */
  async #assertFree(): Promise<void> {
    const { path, obstacle } = this.#options;
    if ((await this.#obstacle.catch(obstacle)) === undefined) return;
    const why = await obstacle();
    if (why !== undefined) throw new InvalidPathError(path, why);
  }

  async #release(lastWords?: () => Promise<void>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (lastWords) {
      const bound = timeLimit(LAST_WORDS_MS);
      await Promise.race([lastWords(), new Promise((resolve) => bound.addEventListener('abort', resolve))]).catch(
        () => undefined,
      );
      this.#filling.cancel();
    }
    this.#options.hash.close();
    await Promise.all([this.#parts.end(), this.#filling.end()]);
  }
}

function wrongSize({ size }: FoundObject, wanted: number): ObjectStoreUnavailableError {
  return new ObjectStoreUnavailableError(`the object store holds ${size} of ${wanted} bytes`);
}
