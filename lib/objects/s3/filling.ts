import type { BlockHolder, BlockPool } from '../block-pool.ts';
import type { S3Calls } from './calls.ts';
import { deleteObject, getBytes, putObject } from './objects.ts';
import type { Parts } from './parts.ts';
import type { Staging } from './staging.ts';

export interface FillingOptions {
  readonly session: string;
  readonly calls: S3Calls;
  readonly pool: BlockPool;
  readonly parts: Parts;
  readonly staging: Staging;
}

/**
 * The bytes of a session that are no part yet. They are in a block of memory; also, or only, in an object of their own
 * once they had to be durable or the memory was needed elsewhere.
 */
export class Filling implements BlockHolder {
  readonly #options: FillingOptions;
  #block: Uint8Array | undefined;
  #length = 0;
  /** How many of the bytes are in the object. */
  #saved = 0;
  #hasTail = false;
  #loaded = 0;
  /** How many bytes there were then. */
  #lengthLoaded = 0;
  #touched = 0;
  #parking: Promise<void> | undefined;
  readonly #canceled = new AbortController();
  /** One after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FillingOptions) {
    this.#options = options;
    options.pool.join(this);
  }

  get length(): number {
    return this.#length;
  }

  get waitingSince(): number | undefined {
    if (this.#block === undefined) return undefined;
    // A source that trickles must not keep the memory from others either.
    return Math.min(this.#touched, this.#loaded + this.#options.calls.limits.turn);
  }

  get slowSince(): number | undefined {
    if (this.#block === undefined) return undefined;
    const part = (performance.now() - this.#loaded) / this.#options.calls.limits.turn;
    return this.#length - this.#lengthLoaded < part * this.#block.length ? this.#loaded : undefined;
  }

  /** Whether there is an object to be removed. */
  get hasTail(): boolean {
    return this.#hasTail;
  }

  /**
   * Puts bytes behind the others, as many as fit, and tells how many. A full block becomes a part.
   * @param stop ends the wait for memory
   */
  add(bytes: Uint8Array, stop?: AbortSignal): Promise<number> {
    return this.#inTurn(async () => {
      const block = await this.#load(stop);
      const taken = Math.min(bytes.length, block.length - this.#length);
      block.set(bytes.subarray(0, taken), this.#length);
      this.#length += taken;
      this.#touched = performance.now();
      return taken;
    });
  }

  /** Makes a part of what is there. @param stop ends the wait for memory */
  submit(stop?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#length === 0) return;
      const { pool, parts } = this.#options;
      const block = await this.#load(stop);
      const length = this.#length;
      if (length === block.length) pool.filled(this);
      this.#block = undefined;
      this.#length = 0;
      this.#saved = 0;
      await parts.add(block, length);
    });
  }

  /** Makes what is there durable. */
  save(): Promise<void> {
    return this.#inTurn(() => this.#save());
  }

  /** While it is at it, asking again brings nothing: what waits for its turn would make a store that is down be tried as often. */
  park(): Promise<void> {
    this.#parking ??= this.#inTurn(async () => {
      if (!this.#block) return;
      await this.#save();
      this.#drop();
    }).finally(() => {
      this.#parking = undefined;
    });
    return this.#parking;
  }

  /** Works with what is there, which stays in memory as long as that takes. */
  use<T>(work: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (this.#length === 0) return work(new Uint8Array());
      return work((await this.#load()).subarray(0, this.#length));
    });
  }

  /** Gives up what is being saved or read at this moment. */
  cancel(): void {
    this.#canceled.abort();
  }

  async end(): Promise<void> {
    this.#options.pool.leave(this);
    await this.#inTurn(async () => this.#drop());
  }

  async #save(): Promise<void> {
    const { session, calls, staging, parts } = this.#options;
    const length = this.#length;
    if (!this.#block || length === this.#saved) return;
    // So that the tail is never before a part that is not there.
    await parts.settle();
    await staging.write(session, { tail: { offset: parts.size, size: this.#saved } });
    this.#hasTail = true;
    const { signal } = this.#canceled;
    try {
      await putObject(calls, staging.keys.tail(session), this.#block.subarray(0, length), { session, signal });
      await staging.write(session, { tail: { offset: parts.size, size: length } }, parts.size + length);
    } catch (error) {
      await this.#removeIfDiscarded().catch(() => undefined);
      throw error;
    }
    this.#saved = length;
  }

  /** Whoever discarded the session may have done so before the object was there. One who took it over reads from it. */
  async #removeIfDiscarded(): Promise<void> {
    const { session, calls, staging } = this.#options;
    if (!(await staging.register.find(session))) await deleteObject(calls, staging.keys.tail(session));
  }

  async #load(stop?: AbortSignal): Promise<Uint8Array> {
    const { session, calls, pool, staging } = this.#options;
    if (this.#block) return this.#block;
    const block = await pool.take(this, stop);
    try {
      const { signal } = this.#canceled;
      if (this.#length > 0) block.set(await getBytes(calls, staging.keys.tail(session), this.#length - 1, { signal }));
    } catch (error) {
      pool.give(block);
      throw error;
    }
    this.#loaded = performance.now();
    this.#lengthLoaded = this.#length;
    this.#touched = this.#loaded;
    this.#block = block;
    return block;
  }

  #drop(): void {
    if (this.#block) this.#options.pool.give(this.#block);
    this.#block = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
