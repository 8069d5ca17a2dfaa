/** Objects in Manta, below the folder that today's IMGAPI uses, so that what it wrote is read. */
import type Logger from 'bunyan';
import type { Clock } from '../../runtime/clock.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import type { PrivateKey } from '../../signing/keys.ts';
import type { BackendOpenOptions, BackendSession, ObjectBackend } from '../backend.ts';
import { type Capabilities, capabilities } from '../capabilities.ts';
import { InvalidPathError, InvalidSessionNameError, ObjectNotFoundError, UnsupportedError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import { hashSource } from '../hashing/hash-source.ts';
import { HashPool } from '../hashing/pool.ts';
import type {
  ByteSource,
  Entry,
  ExportOptions,
  Hashes,
  ObjectInfo,
  ObjectStore,
  ReadOptions,
  SessionInfo,
} from '../object-store.ts';
import type { Retries } from '../retries.ts';
import type { StagingRegister } from '../staging/register.ts';
import { mantaAgent } from './agent.ts';
import { Bytes } from './bytes.ts';
import { Credentials } from './credentials.ts';
import { Directories, parentOf } from './directories.ts';
import { exportObject, isForeignDirectory } from './exporting.ts';
import { explainManta, hasMantaCode, isAbsent, isInTheWay } from './failure.ts';
import { findFeatures } from './features.ts';
import { discardSession, Placing } from './fencing.ts';
import { storeIdentity } from './identity.ts';
import { encodePath, Layout } from './layout.ts';
import type { Manta, SessionState } from './manta.ts';
import { MultipartStaging, partMemoryFor } from './multipart-staging.ts';
import { Names } from './names.ts';
import { PartMemory } from './part-memory.ts';
import { PieceStaging } from './piece-staging.ts';
import { pieceMemory } from './piece-writer.ts';
import { openObject } from './reading.ts';
import { RETRIES, withRetries } from './retry.ts';
import { MantaSession } from './session.ts';
import { findLeftovers, removeStaged, stagedBytes, unlinkIfThere } from './staged.ts';
import type { Staging, StagingOptions } from './staging.ts';
import { StreamStaging } from './stream-staging.ts';

export interface MantaStoreOptions {
  readonly url: string;
  /** Login of the account. */
  readonly user: string;
  readonly subuser?: string | undefined;
  readonly key: PrivateKey;
  /** Folder below the account's `stor`. */
  readonly baseDir: string;
  /** Makes a folder of its own below `baseDir`, beside those of other datacenters. */
  readonly datacenter?: string | undefined;
  readonly register: StagingRegister<SessionState>;
  /** That of the register. */
  readonly clock: Clock;
  /** Default `manta`. */
  readonly name?: string;
  /** Accepts certificates that no known authority has signed. */
  readonly insecure?: boolean;
  /** PEM text of the authorities that sign its certificate; default: those that Node.js knows. */
  readonly ca?: string | undefined;
  /** Copies that Manta keeps of each object; default 2. */
  readonly copies?: number;
  /** Milliseconds for which Manta may do nothing while it is its turn; default 30 s. */
  readonly timeout?: number;
  readonly maxSockets?: number;
  readonly retries?: Retries;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  readonly observer?: OperationObserver;
}

/** @throws ObjectStoreUnavailableError, MantaError when Manta refuses the credentials */
export async function openMantaStore(options: MantaStoreOptions): Promise<ObjectStore> {
  return guardStore(await openBackend(options), options.observer);
}

/** Milliseconds after which staged bytes that nobody knows are leftovers. */
const LEFT_AFTER = 3_600_000;
/** Names that are removed at the same time. */
const REMOVED_AT_ONCE = 8;

async function openBackend(options: MantaStoreOptions): Promise<ObjectBackend> {
  const { user, insecure = false, ca, timeout = 30_000, maxSockets = 100, retries = RETRIES, copies = 2 } = options;
  const url = new URL(options.url);
  const credentials = new Credentials(options);
  const layout = new Layout(options);
  const connections = { url, insecure, ca, maxSockets, idle: timeout };
  const forNames = mantaAgent(connections);
  const forBytes = mantaAgent(connections);
  const names = new Names({ url: url.origin, credentials, agent: forNames, insecure, timeout, retries });
  const closeAll = (): void => {
    names.close();
    for (const agent of [forNames, forBytes]) agent.destroy();
  };
  try {
    const features = await findFeatures(names, layout, user);
    const manta: Manta = {
      user,
      layout,
      names,
      bytes: new Bytes({ url, credentials, agent: forBytes, timeout }),
      directories: new Directories(names, layout.root),
      register: options.register,
      features,
      memory: pieceMemory(),
      partMemory: new PartMemory(),
      retries,
      clock: options.clock,
      copies,
      timeout,
    };
    return new MantaBackend(manta, { name: options.name ?? 'manta', url, credentials, log: options.log, closeAll });
  } catch (error) {
    closeAll();
    throw explainManta(error, 0);
  }
}

function siblings({ layout, features }: Manta): true | string {
  if (layout.datacenter === undefined) return 'has only one root, its own';
  return (
    features.snaplinks || 'can neither link nor copy what others have, because this Manta (version 2) has no snaplinks'
  );
}

/** Bytes that nobody takes over go the shorter way that this Manta has, if there is one, and memory for it. */
function stagingFor(options: StagingOptions, once: boolean, expect: number | undefined): Staging {
  const { features, partMemory } = options.manta;
  if (!once) return new PieceStaging(options);
  const isMultipart = features.multipart && expect !== undefined;
  if (isMultipart && partMemory.tryTake(partMemoryFor(expect))) return new MultipartStaging(options, expect);
  return features.snaplinks ? new StreamStaging(options) : new PieceStaging(options);
}

interface BackendParts {
  readonly name: string;
  readonly url: URL;
  readonly credentials: Credentials;
  readonly log: Pick<Logger, 'info' | 'warn'> | undefined;
  readonly closeAll: () => void;
}

class MantaBackend implements ObjectBackend {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #manta: Manta;
  readonly #parts: BackendParts;
  readonly #pool = new HashPool();

  constructor(manta: Manta, parts: BackendParts) {
    const { features } = manta;
    this.name = parts.name;
    this.#manta = manta;
    this.#parts = parts;
    this.capabilities = capabilities({
      supportsLink: features.snaplinks || 'has no second names, because this Manta (version 2) has no snaplinks',
      supportsServerCopy: features.snaplinks
        ? 'makes no copies of its own, because links cost nothing'
        : 'makes no copies of its own, because Manta cannot',
      supportsSignedUrl: true,
      supportsSiblings: siblings(manta),
      supportsTakeOver: true,
      supportsExport: true,
      supportsAdoption: 'is not on this machine',
      supportsPieces: 'takes bytes in order only',
    });
  }

  explain(error: unknown, needed: number): unknown {
    return explainManta(error, needed);
  }

  identity(): Promise<string> {
    return storeIdentity(this.#manta);
  }

  async info(path: string): Promise<ObjectInfo | undefined> {
    const found = await this.#manta.names.info(this.#manta.layout.resolve(path));
    return found?.type === 'object' ? { path, size: found.size, mtime: found.mtime } : undefined;
  }

  read(path: string, options: ReadOptions): Promise<{ info: ObjectInfo; stream: ByteSource }> {
    return openObject(this.#manta, path, options);
  }

  async hash(path: string, signal?: AbortSignal): Promise<Hashes & { size: number }> {
    const { info, stream } = await openObject(this.#manta, path, { signal });
    return { ...(await hashSource(stream, this.#pool.open(), signal)), size: info.size };
  }

  async open({ path, session, expect, once }: BackendOpenOptions): Promise<BackendSession> {
    const manta = this.#manta;
    await manta.register.add(session, path, {});
    const placing = new Placing(manta, session);
    const options = { manta, session, target: manta.layout.resolve(path), hash: this.#pool.open(), placing };
    return new MantaSession({
      ...options,
      path,
      staging: stagingFor(options, once === true, expect),
      onLeft: (err) => this.#parts.log?.warn({ err, session }, 'what a session had staged was left behind'),
    });
  }

  staged(session: string, upTo: number): AsyncIterable<Uint8Array> {
    return stagedBytes(this.#manta, session, upTo);
  }

  discard(session: string): Promise<void> {
    return discardSession(this.#manta, session);
  }

  async sessions(): Promise<SessionInfo[]> {
    const found: SessionInfo[] = [];
    for await (const { session, size, mtime } of this.#manta.register.list()) found.push({ session, size, mtime });
    return found;
  }

  leftovers(age = LEFT_AFTER): Promise<SessionInfo[]> {
    return findLeftovers(this.#manta, age);
  }

  async removeLeftover({ session: name }: SessionInfo): Promise<void> {
    const session = this.#manta.layout.sessionOfLeftover(name);
    if (session === undefined || session.includes('/')) throw new InvalidSessionNameError(name);
    if ((await this.#manta.register.find(session)) === undefined) await removeStaged(this.#manta, session);
  }

  async link(from: string, to: string): Promise<void> {
    const { names, layout, directories, retries } = this.#manta;
    const target = layout.resolve(to);
    try {
      await withRetries(retries, () => directories.placing(target, () => names.link(layout.resolve(from), target)));
    } catch (error) {
      if (hasMantaCode(error, 'SourceObjectNotFound', 'LinkNotObject')) {
        await directories.prune(parentOf(target));
        throw new ObjectNotFoundError(from, { cause: error });
      }
      if (isInTheWay(error)) {
        throw new InvalidPathError(to, 'is a directory, or lies below an object', { cause: error });
      }
      if (hasMantaCode(error, 'SnaplinksDisabledError')) {
        this.#manta.features.snaplinks = false;
        throw new UnsupportedError('supportsLink', 'this Manta has no snaplinks any more', { cause: error });
      }
      throw error;
    }
  }

  async list(path: string): Promise<Entry[]> {
    const found = await this.#manta.names.list(this.#manta.layout.resolve(path));
    return found.map(({ name, type }) => ({ name, type }));
  }

  async remove(path: string): Promise<void> {
    const { names, layout, directories } = this.#manta;
    const place = layout.resolve(path);
    try {
      await names.unlink(place);
    } catch (error) {
      if (hasMantaCode(error, 'DirectoryNotEmpty')) return;
      if (!isAbsent(error)) throw error;
    }
    await directories.prune(parentOf(place));
  }

  async removeTree(path: string): Promise<void> {
    const { names, layout, directories } = this.#manta;
    const place = layout.resolve(path);
    if ((await names.info(place))?.type === 'directory') await this.#removeBelow(place);
    await directories.prune(parentOf(place));
  }

  free(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async signUrl(path: string, expires: Date): Promise<string> {
    const { url, credentials } = this.#parts;
    const encoded = encodePath(this.#manta.layout.resolve(path));
    return `${url.origin}${encoded}?${credentials.signedQuery(url.host, encoded, expires)}`;
  }

  isForeignDirectory(path: string): Promise<boolean> {
    return isForeignDirectory(this.#manta, path);
  }

  exportTo(path: string, body: () => AsyncIterable<Uint8Array>, options: ExportOptions): Promise<void> {
    return exportObject(this.#manta, path, body, options);
  }

  siblingPath(datacenter: string, path: string): string {
    return this.#manta.layout.siblingPath(datacenter, path);
  }

  async close(): Promise<void> {
    this.#manta.memory.close();
    this.#parts.closeAll();
    await this.#pool.close();
  }

  async #removeBelow(directory: string): Promise<void> {
    const { names } = this.#manta;
    for (;;) {
      const entries = await names.list(directory);
      for (let at = 0; at < entries.length; at += REMOVED_AT_ONCE) {
        const some = entries.slice(at, at + REMOVED_AT_ONCE);
        await Promise.all(some.map((entry) => this.#removeEntry(directory, entry)));
      }
      try {
        await unlinkIfThere(names, directory);
        return;
      } catch (error) {
        // Something came meanwhile.
        if (!hasMantaCode(error, 'DirectoryNotEmpty')) throw error;
      }
    }
  }

  async #removeEntry(directory: string, { name, type }: Entry): Promise<void> {
    const place = `${directory}/${name}`;
    if (type === 'directory') await this.#removeBelow(place);
    else await unlinkIfThere(this.#manta.names, place);
  }
}
