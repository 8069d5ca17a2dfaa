/** Objects in a bucket of S3, or of a store that speaks it, which any number of processes may share. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import { newUuid } from '../../text/uuid.ts';
import type { BackendOpenOptions, BackendSession, ObjectBackend } from '../backend.ts';
import { BlockPool } from '../block-pool.ts';
import { capabilities } from '../capabilities.ts';
import { ObjectNotFoundError, UnsupportedError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import { hashSource } from '../hashing/hash-source.ts';
import { HashPool } from '../hashing/pool.ts';
import type { ByteSource, Entry, Hashes, ObjectInfo, ObjectStore, ReadOptions, SessionInfo } from '../object-store.ts';
import type { StagingRegister } from '../staging/register.ts';
import { S3Calls } from './calls.ts';
import { copyWithin } from './copying.ts';
import { storeIdentity } from './identity.ts';
import { Keys } from './keys.ts';
import { findLeftovers, removeLeftover } from './leftovers.ts';
import { deleteObject, deleteObjects, hasKeysBelow, headObject, listKeys } from './objects.ts';
import { openObject } from './reading.ts';
import { S3Session } from './session.ts';
import type { S3Settings } from './settings.ts';
import { type S3Staged, Staging } from './staging.ts';
import type { UploadId } from './uploads.ts';

export interface S3StoreOptions {
  readonly settings: S3Settings;
  /** Of this store alone. */
  readonly register: StagingRegister<S3Staged>;
  /** Default `s3`. */
  readonly name?: string;
  /** The one that all processes share. */
  readonly clock?: Clock;
  readonly observer?: OperationObserver;
}

const MOST_EXPIRY_S = 7 * 86_400;

export function openS3Store(options: S3StoreOptions): ObjectStore {
  return guardStore(new S3Backend(options), options.observer);
}

class S3Backend implements ObjectBackend {
  readonly name: string;
  readonly capabilities = capabilities({
    supportsLink: 'has no second names for the same bytes',
    supportsServerCopy: true,
    supportsSignedUrl: true,
    supportsSiblings: true,
    supportsTakeOver: true,
    supportsExport: 'is a bucket of the service alone',
    supportsAdoption: 'is not on this machine',
    supportsPieces: 'takes bytes in order only',
  });
  readonly #calls: S3Calls;
  readonly #keys: Keys;
  readonly #staging: Staging;
  readonly #clock: Clock;
  readonly #pool: BlockPool;
  readonly #hashes = new HashPool();

  constructor({ settings, register, name = 's3', clock = systemClock }: S3StoreOptions) {
    this.name = name;
    this.#calls = new S3Calls(settings);
    this.#keys = new Keys(settings.prefix);
    this.#staging = new Staging(this.#calls, this.#keys, register, clock);
    this.#clock = clock;
    const { part, buffers, patience } = this.#calls.limits;
    this.#pool = new BlockPool(part, buffers, patience);
  }

  explain(error: unknown): unknown {
    return error;
  }

  identity(): Promise<string> {
    return storeIdentity(this.#calls, this.#keys.identity);
  }

  async info(path: string): Promise<ObjectInfo | undefined> {
    const found = await headObject(this.#calls, this.#keys.of(path));
    return found && { path, size: found.size, mtime: found.mtime };
  }

  read(path: string, options: ReadOptions): Promise<{ info: ObjectInfo; stream: ByteSource }> {
    return openObject(this.#calls, this.#keys.of(path), path, options);
  }

  async hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }> {
    const { info, stream } = await this.read(path, { ...(signal && { signal }) });
    return { ...(await hashSource(stream, this.#hashes.open(), signal)), size: info.size };
  }

  async open({ path, session, once = false }: BackendOpenOptions): Promise<BackendSession> {
    await this.#staging.register.add(session, path, { ...(once && { once }) });
    return new S3Session({
      session,
      path,
      once,
      calls: this.#calls,
      pool: this.#pool,
      staging: this.#staging,
      hash: this.#hashes.open(),
      obstacle: () => this.#obstacle(path),
    });
  }

  async *staged(session: string, upTo: number): AsyncGenerator<Uint8Array> {
    const sealed = await this.#staging.seal(session);
    if (!sealed) return;
    let left = upTo;
    for (const { key, size } of [sealed.body, sealed.tail]) {
      const wanted = Math.min(left, size);
      if (wanted === 0) continue;
      const { stream } = await openObject(this.#calls, key, `staging/${session}`, { end: wanted - 1 });
      yield* stream;
      left -= wanted;
    }
  }

  discard(session: string): Promise<void> {
    return this.#staging.discard(session);
  }

  /** Without those that are being committed or copied at this moment: there is nothing to sweep. */
  async sessions(): Promise<SessionInfo[]> {
    const found: SessionInfo[] = [];
    for await (const { session, size, mtime, state } of this.#staging.register.list()) {
      if (!this.#staging.isPlacing(state)) found.push({ session, size, mtime });
    }
    return found;
  }

  leftovers(age?: number): Promise<SessionInfo[]> {
    return findLeftovers(this.#calls, this.#staging, this.#clock, age);
  }

  removeLeftover({ session }: SessionInfo): Promise<void> {
    return removeLeftover(this.#calls, this.#staging, session);
  }

  async serverCopy(from: string, to: string): Promise<void> {
    const source = await headObject(this.#calls, this.#keys.of(from));
    if (!source) throw new ObjectNotFoundError(from);
    const session = `copy.${newUuid()}`;
    const staging = this.#staging;
    const plan = { from: this.#keys.of(from), to: this.#keys.of(to), source, session };
    if (source.size <= this.#calls.limits.copy) {
      await copyWithin(this.#calls, { ...plan, onUpload: async () => undefined });
      return;
    }
    await staging.register.add(session, to, {});
    const onUpload = (copy: UploadId): Promise<void> => staging.write(session, { copy });
    try {
      await staging.placing(session, () => copyWithin(this.#calls, { ...plan, onUpload }));
      await staging.finish(session, []);
    } catch (error) {
      // If the store is down, the sweeper does it.
      await staging.discard(session).catch(() => undefined);
      throw error;
    }
  }

  async signUrl(path: string, expires: Date): Promise<string> {
    const now = Date.now() + this.#calls.clockAhead;
    const seconds = Math.ceil((expires.getTime() - now) / 1000);
    if (seconds > MOST_EXPIRY_S) {
      throw new UnsupportedError('supportsSignedUrl', `the object store "${this.name}" signs URLs for 7 days at most`);
    }
    const command = new GetObjectCommand({ Bucket: this.#calls.bucket, Key: this.#keys.of(path) });
    // What has expired already is signed as of then.
    const signingDate = new Date(seconds > 0 ? now : expires.getTime() - 1000);
    return getSignedUrl(this.#calls.client, command, { signingDate, expiresIn: Math.max(1, seconds) });
  }

  siblingPath(root: string, path: string): string {
    return this.#keys.sibling(root, path);
  }

  async list(path: string): Promise<Entry[]> {
    const directory = `${this.#keys.of(path)}/`;
    const entries: Entry[] = [];
    for await (const { keys, prefixes } of listKeys(this.#calls, directory, '/')) {
      entries.push(...keys.map(({ key }) => ({ name: key.slice(directory.length), type: 'object' as const })));
      entries.push(...prefixes.map((key) => ({ name: key.slice(directory.length, -1), type: 'directory' as const })));
    }
    return entries;
  }

  remove(path: string): Promise<void> {
    return deleteObject(this.#calls, this.#keys.of(path));
  }

  async removeTree(path: string): Promise<void> {
    for await (const { keys } of listKeys(this.#calls, `${this.#keys.of(path)}/`)) {
      await deleteObjects(
        this.#calls,
        keys.map(({ key }) => key),
      );
    }
  }

  async free(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    this.#pool.close();
    this.#calls.close();
    await this.#hashes.close();
  }

  /** S3 itself has no directories, and would take both. */
  async #obstacle(path: string): Promise<string | undefined> {
    const parts = path.split('/');
    const above = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
    const [isDirectory, ...objects] = await Promise.all([
      hasKeysBelow(this.#calls, `${this.#keys.of(path)}/`),
      ...above.map((each) => headObject(this.#calls, this.#keys.of(each))),
    ]);
    if (isDirectory) return 'is a directory';
    return objects.some((found) => found !== undefined) ? 'lies below an object' : undefined;
  }
}
