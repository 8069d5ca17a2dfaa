import { SessionStateError, TooLargeError } from '../errors.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { AppendOptions, Hashes, ObjectInfo, WriteSession } from '../object-store.ts';
import { abortable } from './abortable.ts';
import { BlockWriter } from './block-writer.ts';
import { storeFailure } from './failure.ts';
import { letGo } from './let-go.ts';
import type { Allotment, Room } from './room.ts';
import type { StagedFile } from './staged-file.ts';
import { bytesFreedBy } from './usage.ts';

export interface LocalSessionOptions {
  readonly session: string;
  readonly path: string;
  /** The object's file. */
  readonly target: string;
  readonly file: StagedFile;
  readonly hash: HashStream;
  readonly allotment: Allotment;
  readonly room: Room;
  readonly limit: number;
  /** Removes the staged file. */
  readonly remove: () => Promise<void>;
  /** Told once, when the session has ended in whatever way. */
  readonly onEnd: (session: LocalSession) => void;
}

type State = 'open' | 'committed' | 'closed' | 'discarded';

export class LocalSession implements WriteSession {
  readonly session: string;
  readonly path: string;
  readonly #options: LocalSessionOptions;
  #state: State = 'open';
  /** The one call that is under way. */
  #running: Promise<unknown> | undefined;
  readonly #ending = new AbortController();

  constructor(options: LocalSessionOptions) {
    this.session = options.session;
    this.path = options.path;
    this.#options = options;
  }

  get size(): number {
    return this.#options.file.size;
  }

  append(source: AsyncIterable<Uint8Array>, options: AppendOptions = {}): Promise<void> {
    // What the source throws is not the store's; what the file throws is explained where it is written.
    return this.#alone(() => this.#append(source, options), { explained: true });
  }

  flush(): Promise<number> {
    return this.#alone(async () => {
      await this.#options.file.flush();
      return this.size;
    });
  }

  hashes(): Promise<Hashes> {
    return this.#alone(() => this.#options.hash.digest());
  }

  commit(): Promise<ObjectInfo> {
    return this.#alone(async () => {
      const { file, path, target, room } = this.#options;
      const replaced = room.limited ? await bytesFreedBy(target) : 0;
      const info = await file.place(path, target);
      await this.#end('committed');
      room.change(info.size - replaced);
      return info;
    });
  }

  async close(): Promise<void> {
    await this.#interrupt();
    if (this.#state === 'open') {
      await this.#end('closed').catch(rethrowExplained);
    }
  }

  async discard(): Promise<void> {
    await this.#interrupt();
    if (this.#state === 'open') {
      await this.#options.remove().catch(rethrowExplained);
      await this.#end('discarded').catch(rethrowExplained);
    }
  }

  async #append(source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<void> {
    const { signal, onProgress, disposable = false } = options;
    const { file, hash, allotment, room, limit } = this.#options;
    const writer = new BlockWriter({ file, hash, allotment, room, onProgress });
    const stop = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    let taken = file.size;
    try {
      for await (const chunk of abortable(source, stop)) {
        taken += chunk.length;
        if (taken > limit) {
          throw new TooLargeError(limit);
        }
        await writer.write(chunk);
        if (disposable) {
          letGo(chunk);
        }
      }
    } catch (error) {
      // What arrived stays; why it ended matters more than a second failure in keeping it.
      await writer.drain().catch(() => undefined);
      throw error;
    }
    await writer.drain();
  }

  async #alone<T>(call: () => Promise<T>, { explained = false } = {}): Promise<T> {
    if (this.#state !== 'open') {
      throw new SessionStateError(this.session, this.#state);
    }
    if (this.#running !== undefined) {
      throw new SessionStateError(this.session, 'busy with another call');
    }
    const running = call();
    this.#running = running;
    try {
      return await running;
    } catch (error) {
      throw explained ? error : await this.#options.room.explain(error, this.size);
    } finally {
      this.#running = undefined;
    }
  }

  async #interrupt(): Promise<void> {
    this.#ending.abort(new SessionStateError(this.session, 'being closed'));
    await this.#running?.catch(() => undefined);
  }

  async #end(state: State): Promise<void> {
    this.#state = state;
    const { file, hash, allotment, onEnd } = this.#options;
    hash.close();
    onEnd(this);
    let kept = 0;
    try {
      kept = await file.close();
    } finally {
      allotment.settle(kept);
    }
  }
}

function rethrowExplained(error: unknown): never {
  throw storeFailure(error);
}
