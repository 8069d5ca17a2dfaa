/**
 * Documents in Moray, Triton's store of documents, for any number of processes. Each call of the store is one of
 * Moray's, as far as that is possible; the files beside this one say where it is not.
 */
import Logger from 'bunyan';
import type { Clock } from '../../runtime/clock.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import { UnderWay } from '../../runtime/under-way.ts';
import type { DocumentBackend } from '../backend.ts';
import { DatabaseClock } from '../database-clock.ts';
import { closedError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import { isIndexableText } from '../index-value.ts';
import { EtagSource } from '../sql/etags.ts';
import type { Bucket, Filter, Query, ReadOptions, Store, Stored, Write } from '../store.ts';
import { Batch } from './batch.ts';
import { MorayBuckets } from './buckets.ts';
import { MorayCalls } from './calls.ts';
import type { MorayAddress } from './connection.ts';
import { Connections } from './connections.ts';
import { storeError } from './failure.ts';
import { oneOfKeys } from './morays-filter.ts';
import { Pages } from './pages.ts';
import { Upgrades } from './upgrades.ts';
import { fromMoray } from './value.ts';

export interface MorayStoreOptions extends MorayAddress {
  /** Instead of the database's. */
  readonly clock?: Clock;
  /** Is told when Moray is away, and when it is back. */
  readonly log?: Logger;
  /** Milliseconds that a call may take; default 10 seconds. */
  readonly patience?: number;
  /** Connections to keep; default 4. */
  readonly connections?: number;
  /** Milliseconds until indexes that an upgrade has added are filled and used; for tests. */
  readonly settleMs?: number;
  readonly observer?: OperationObserver;
}

const PATIENCE_MS = 10_000;
const CONNECTIONS = 4;

/** @throws StoreUnavailableError if Moray does not answer */
export async function openMorayStore(options: MorayStoreOptions): Promise<Store> {
  const backend = new MorayStore(options);
  try {
    await backend.connect();
  } catch (error) {
    await backend.close();
    throw storeError(error);
  }
  return guardStore(backend, options.observer);
}

class MorayStore implements DocumentBackend {
  readonly name = 'moray';
  readonly #connections: Connections;
  readonly #calls: MorayCalls;
  readonly #upgrades: Upgrades;
  readonly #buckets: MorayBuckets;
  readonly #databaseClock = new DatabaseClock();
  readonly #clock: Clock;
  readonly #stamps = new EtagSource();
  /** Batches under way. */
  readonly #writing = new UnderWay();
  #closing: Promise<void> | undefined;

  constructor(options: MorayStoreOptions) {
    const { host, port, patience = PATIENCE_MS, connections = CONNECTIONS, settleMs, clock } = options;
    const log = options.log ?? new Logger({ name: 'moray', streams: [] });
    this.#connections = new Connections({ host, port, patience, connections, log });
    this.#calls = new MorayCalls(this.#connections, patience);
    this.#upgrades = new Upgrades(this.#calls, log, settleMs);
    this.#buckets = new MorayBuckets(this.#upgrades);
    this.#clock = clock ?? this.#databaseClock;
  }

  /** @throws MorayError, StoreUnavailableError */
  async connect(): Promise<void> {
    const ask = () => this.#calls.now();
    await this.#databaseClock.measure(ask);
    this.#databaseClock.keep(() => this.#databaseClock.measure(ask, 1));
  }

  now(): number {
    return this.#clock.now();
  }

  explain(error: unknown): unknown {
    return storeError(error);
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    this.#refuseIfClosed();
    await this.#buckets.open(buckets);
  }

  async get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    this.#refuseIfClosed();
    const { bucket: name } = this.#buckets.layout(bucket.name);
    if (key === '' || !isIndexableText(key)) return undefined;
    const found = await this.#calls.get(name, key);
    return found && (fromMoray(found) as Stored<T>);
  }

  async getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    this.#refuseIfClosed();
    const wanted = [...new Set(keys)];
    const options = { limit: wanted.length };
    const found = await this.#calls.find(this.#buckets.layout(bucket.name).bucket, oneOfKeys(wanted), options);
    return found.map(fromMoray) as Stored<T>[];
  }

  async *scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    { signal }: ReadOptions,
  ): AsyncGenerator<readonly Stored<T>[], void> {
    this.#refuseIfClosed();
    const pages = new Pages(this.#calls, this.#buckets.layout(bucket.name), query, signal);
    for await (const piece of pages.read()) {
      yield piece as readonly Stored<T>[];
      signal?.throwIfAborted();
    }
  }

  async count(bucket: Bucket, filter?: Filter, { signal }: ReadOptions = {}): Promise<number> {
    this.#refuseIfClosed();
    const query = filter === undefined ? {} : { filter };
    return new Pages(this.#calls, this.#buckets.layout(bucket.name), query, signal).count();
  }

  batch(writes: readonly Write[]): Promise<string[]> {
    this.#refuseIfClosed();
    const batch = new Batch(this.#calls, writes, (bucket) => this.#buckets.layout(bucket), this.#stamps);
    return this.#writing.add(batch.carryOut());
  }

  async ping(): Promise<void> {
    this.#refuseIfClosed();
    await this.#calls.ping();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#upgrades.stop();
    this.#databaseClock.stop();
    await this.#writing.ended();
    await this.#connections.close();
  }

  #refuseIfClosed(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}
