/**
 * A store that keeps nobody out by itself, such as Moray, and processes that say that they use it. Each notes its presence
 * there, and calls the store only for as long as that note surely lasts, and only if no move was there when it renewed it.
 * So one that is the only one left may fence the store (`presence-fence.ts`): whoever comes meanwhile sees that.
 *
 * A process that is stopped in the middle of a call, for longer than its note lasts, could still carry out that call when
 * it goes on.
 */
import { hostname } from 'node:os';
import { startInterval, type Timer } from '../../runtime/timers.ts';
import { UnderWay } from '../../runtime/under-way.ts';
import { within } from '../../runtime/within.ts';
import { newUuid } from '../../text/uuid.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Bucket, Filter, Query, ReadOptions, ScanOptions, Store, Stored, Write, WriteOptions } from '../store.ts';
import { assertHere, type Moved, StoreMovedError } from './moved.ts';

export interface Presence extends Required<Lease> {
  readonly host: string;
  readonly pid: number;
}

/** Keyed at random: a process may use the store twice. */
export const PROCESSES: Bucket<Presence> = { name: 'imgapi_processes', version: 1, index: {} };
/** Where the documents are. */
export const MOVED: Bucket<Moved> = { name: 'imgapi_moved', version: 1, index: {} };
export const MOVED_KEY = 'documents';

export interface PresentOptions {
  /** Names this process. */
  readonly worker: string;
  /** Moves before that epoch count for nothing. */
  readonly since: number;
  /** Milliseconds that a call may take, tries again included. */
  readonly callMs: number;
  /** Milliseconds that a note lasts beyond that; default 30 seconds. */
  readonly lastsMs?: number;
  readonly renewMs?: number;
  readonly log?: { warn(fields: object, message: string): void };
}

const LASTS_MS = 30_000;
const RENEWALS = 4;
const LEAVE_MS = 2000;

export class PresentStore implements Store {
  readonly #store: Store;
  readonly #options: PresentOptions;
  readonly #lastsMs: number;
  readonly #key = newUuid();
  readonly #underWay = new UnderWay();
  #timer: Timer | undefined;
  #isNoted = false;
  #renewal: Promise<void> | undefined;
  /** By both clocks of this machine: one of them may stand still while the machine sleeps. */
  #until = { monotonic: 0, date: 0 };
  /** How often the store was shut. */
  #shuts = 0;

  constructor(store: Store, options: PresentOptions) {
    this.#store = store;
    this.#options = options;
    this.#lastsMs = options.lastsMs ?? LASTS_MS;
  }

  now(): number {
    return this.#store.now();
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    await this.#store.open([PROCESSES, MOVED]);
    await this.#renewed();
    const { renewMs = this.#lastsMs / RENEWALS, log } = this.#options;
    this.#timer ??= startInterval(() => {
      this.#renewed().catch((err: unknown) => {
        if (!(err instanceof StoreMovedError)) log?.warn({ err }, 'the presence of this process was not noted');
      });
    }, renewMs);
    await this.#call(() => this.#store.open(buckets));
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    return this.#call(() => this.#store.get(bucket, key));
  }

  /** It keeps nothing that need not be asked for. */
  kept(): undefined {
    return undefined;
  }

  keptList(): undefined {
    return undefined;
  }

  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    return this.#call(() => this.#store.getMany(bucket, keys));
  }

  find<T extends object>(bucket: Bucket<T>, query: Query, options?: ReadOptions): Promise<Stored<T>[]> {
    return this.#call(() => this.#store.find(bucket, query, options));
  }

  async *scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    options?: ScanOptions,
  ): AsyncGenerator<readonly Stored<T>[], void> {
    const pieces = this.#store.scan(bucket, query, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#call(() => pieces.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pieces.return?.();
    }
  }

  count(bucket: Bucket, filter?: Filter, options?: ReadOptions): Promise<number> {
    return this.#call(() => this.#store.count(bucket, filter, options));
  }

  batch(writes: readonly Write[], options?: WriteOptions): Promise<string[]> {
    return this.#call(() => this.#store.batch(writes, options));
  }

  settled(): Promise<void> {
    return this.#call(() => this.#store.settled());
  }

  ping(): Promise<void> {
    return this.#call(() => this.#store.ping());
  }

  async close(): Promise<void> {
    this.#timer?.stop();
    await this.#renewal?.catch(() => undefined);
    // Should it stay, it runs out.
    if (this.#isNoted) await within(LEAVE_MS, this.#leave(), () => undefined).catch(() => undefined);
    await this.#store.close();
  }

  /** No call begins any more while the documents are moving; resolves when those under way have ended. */
  async shut(): Promise<void> {
    this.#shuts += 1;
    this.#until = { monotonic: 0, date: 0 };
    await this.#underWay.ended();
  }

  get #mayCall(): boolean {
    return performance.now() < this.#until.monotonic && Date.now() < this.#until.date;
  }

  async #call<R>(body: () => Promise<R>): Promise<R> {
    while (!this.#mayCall) await this.#renewed();
    return this.#underWay.add(body());
  }

  #renewed(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** @throws StoreMovedError, StoreUnavailableError */
  async #renew(): Promise<void> {
    const { worker, callMs, since } = this.#options;
    const shuts = this.#shuts;
    const start = { monotonic: performance.now(), date: Date.now() };
    const length = this.#lastsMs + callMs;
    const value: Presence = {
      ...{ worker, until: this.#store.now() + length, length },
      ...{ host: hostname(), pid: process.pid },
    };
    this.#isNoted = true;
    await this.#store.batch([{ op: 'put', bucket: PROCESSES, key: this.#key, value }]);
    const found = await this.#store.get(MOVED, MOVED_KEY);
    try {
      assertHere(found?.value, { since });
    } catch (error) {
      await this.shut();
      if (found?.value.state === 'done') await this.#leave();
      throw error;
    }
    if (performance.now() - start.monotonic > this.#lastsMs) {
      throw new StoreUnavailableError('the presence of this process could not be noted in time');
    }
    if (shuts !== this.#shuts) return;
    this.#until = { monotonic: start.monotonic + this.#lastsMs, date: start.date + this.#lastsMs };
  }

  async #leave(): Promise<void> {
    this.#timer?.stop();
    await this.#store.batch([{ op: 'del', bucket: PROCESSES, key: this.#key }]);
    this.#isNoted = false;
  }
}
