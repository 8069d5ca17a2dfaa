import type { BackendSession } from '../backend.ts';
import { InvalidPathError, SessionGoneError } from '../errors.ts';
import type { Hashes, ObjectInfo } from '../object-store.ts';
import { parentOf } from './directories.ts';
import { isInTheWay, MantaError } from './failure.ts';
import { discardSession } from './fencing.ts';
import { removeStaged } from './staged.ts';
import type { Staging, StagingOptions } from './staging.ts';

export interface MantaSessionOptions extends StagingOptions {
  /** Of the object, in the store. */
  readonly path: string;
  readonly staging: Staging;
  readonly onLeft: (error: unknown) => void;
}

export class MantaSession implements BackendSession {
  readonly #options: MantaSessionOptions;
  #isGone = false;
  #isPlaced = false;

  constructor(options: MantaSessionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.staging.size;
  }

  append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void, signal?: AbortSignal): Promise<void> {
    return this.#options.staging.append(source, onProgress, signal);
  }

  flush(): Promise<void> {
    return this.#options.staging.flush();
  }

  hashes(): Promise<Hashes> {
    return this.#options.hash.digest();
  }

  async commit(): Promise<ObjectInfo> {
    const { manta, path, target, session } = this.#options;
    if (this.#isGone) throw new SessionGoneError(session);
    if (!this.#isPlaced) await this.#place();
    this.#isPlaced = true;
    const found = await manta.names.info(target);
    await this.#forget();
    await this.close();
    const mtime = found?.type === 'object' ? found.mtime : new Date(manta.clock.now());
    return { path, size: this.size, mtime };
  }

  async close(): Promise<void> {
    await this.#options.staging.end();
    this.#options.hash.close();
  }

  async discard(): Promise<void> {
    const { manta, session } = this.#options;
    await discardSession(manta, session);
    await this.close();
  }

  async #place(): Promise<void> {
    const { staging, path, placing } = this.#options;
    try {
      const { md5 } = await this.hashes();
      await staging.place(md5);
    } catch (error) {
      this.#isGone = error instanceof SessionGoneError;
      await placing.end().catch(() => undefined);
      if (this.#isGone || error instanceof MantaError) await this.#prune();
      if (!isInTheWay(error)) throw error;
      throw new InvalidPathError(path, 'is a directory, or lies below an object', { cause: error });
    }
  }

  /** The directories that were made for it go. */
  async #prune(): Promise<void> {
    const { manta, target } = this.#options;
    await manta.directories.prune(parentOf(target)).catch(() => undefined);
  }

  /** The object is there. What is left of the session is not worth a failure: the sweeper finds it. */
  async #forget(): Promise<void> {
    const { manta, session, onLeft } = this.#options;
    try {
      await removeStaged(manta, session);
      await manta.register.remove(session);
    } catch (error) {
      onLeft(error);
    }
  }
}
