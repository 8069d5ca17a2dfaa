import type { BackendSession } from '../backend.ts';
import { allButMd5 } from '../hashing/algorithms.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { ObjectInfo, SessionHashes } from '../object-store.ts';
import { BlockWriter } from './block-writer.ts';
import type { Allotment, Room } from './room.ts';
import type { StagedFile } from './staged-file.ts';
import { bytesFreedBy } from './usage.ts';

export interface LocalSessionOptions {
  readonly path: string;
  /** The object's file. */
  readonly target: string;
  readonly file: StagedFile;
  readonly hash: HashStream;
  readonly allotment: Allotment;
  readonly room: Room;
  /** Removes the staged file. */
  readonly remove: () => Promise<void>;
  /** Called once, however the session ends. */
  readonly onEnd: () => void;
}

export class LocalSession implements BackendSession {
  readonly #options: LocalSessionOptions;
  #ended = false;

  constructor(options: LocalSessionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.file.size;
  }

  async append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void): Promise<void> {
    const { file, hash, allotment, room } = this.#options;
    const writer = new BlockWriter({ file, hash, allotment, room, onProgress });
    try {
      for await (const piece of source) await writer.write(piece);
    } catch (error) {
      // What arrived is kept; the first error matters more than a second one while writing it.
      await writer.drain().catch(() => undefined);
      throw error;
    }
    await writer.drain();
  }

  flush(): Promise<void> {
    return this.#options.file.flush();
  }

  async hashes(): Promise<SessionHashes> {
    return allButMd5(await this.#options.hash.computed());
  }

  async commit(): Promise<ObjectInfo> {
    const { file, path, target, room } = this.#options;
    const replaced = room.limited ? await bytesFreedBy(target) : 0;
    const info = await file.place(path, target);
    await this.close();
    room.change(info.size - replaced);
    return info;
  }

  async discard(): Promise<void> {
    await this.#options.remove();
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { file, hash, allotment, onEnd } = this.#options;
    hash.close();
    onEnd();
    let kept = 0;
    try {
      kept = await file.close();
    } finally {
      allotment.settle(kept);
    }
  }
}
