/**
 * Documents in PostgreSQL, for any number of processes on any number of machines; directly, or through PgBouncer in
 * transaction mode: nothing here outlives a transaction at the server.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import { pause } from '../../runtime/timers.ts';
import { UnderWay } from '../../runtime/under-way.ts';
import type { DocumentBackend } from '../backend.ts';
import { DatabaseClock } from '../database-clock.ts';
import { StoreUnavailableError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import type { Place } from '../moving/moved.ts';
import { applyBatch } from '../sql/batch.ts';
import { CACHE_BYTES, Documents } from '../sql/documents.ts';
import { EtagSource } from '../sql/etags.ts';
import { prepareWrite } from '../sql/prepared-write.ts';
import type { Bucket, Filter, Query, ReadOptions, Store, Stored, Write } from '../store.ts';
import { Access } from './access.ts';
import { PostgresBuckets } from './buckets.ts';
import { Connections } from './connections.ts';
import { isReadOnly, storeError } from './failure.ts';
import { Lists } from './lists.ts';
import type { PostgresOptions } from './options.ts';
import { INDEX_AFTER, PartIndexes } from './part-indexes.ts';
import { Reads } from './reads.ts';
import { databaseTime } from './session.ts';
import { PROBE, Transactions } from './transactions.ts';

/** Another process may be filling new tables for so long. */
const UPGRADE_MS = 15 * 60_000;
const UPGRADE_PAUSE_MS = 100;
const READ_ONLY = 'the document store cannot be written to';

export interface PostgresStoreOptions extends PostgresOptions {
  /** Default: the database's. */
  readonly clock?: Clock;
  readonly log?: { warn(fields: object, message: string): void };
  /** Approximate bytes of documents to keep in memory. */
  readonly cacheBytes?: number;
  /** Milliseconds after which what is there begins to be indexed, if it is not. Default: some seconds. */
  readonly indexAfter?: number;
  readonly observer?: OperationObserver;
  /** Default: the documents that are there if nothing has ever moved. */
  readonly place?: Place;
}

/** @throws StoreUnavailableError when the database cannot be reached */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const backend = new PostgresStore(options);
  try {
    await backend.connect();
  } catch (error) {
    await backend.close();
    throw backend.explain(error);
  }
  return guardStore(backend, options.observer);
}

class PostgresStore implements DocumentBackend {
  readonly name = 'postgres';
  readonly #options: PostgresOptions;
  readonly #connections: Connections;
  readonly #buckets: PostgresBuckets;
  readonly #access: Access;
  readonly #transactions: Transactions;
  readonly #documents: Documents;
  readonly #reads: Reads;
  readonly #lists: Lists;
  /** Absent behind a fence, where nobody searches. */
  readonly #partIndexes: PartIndexes | undefined;
  readonly #etags = new EtagSource();
  readonly #databaseClock = new DatabaseClock();
  readonly #clock: Clock;
  /** Batches under way, which `close` waits for. */
  readonly #writing = new UnderWay();
  #closing: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    const { schema, statementMs, patienceMs, cacheBytes = CACHE_BYTES, clock = this.#databaseClock, log } = options;
    const { place = { since: 0 }, poolSize, indexAfter = INDEX_AFTER } = options;
    this.#options = options;
    this.#clock = clock;
    this.#connections = new Connections(options);
    const warn = (fields: object, message: string): void => log?.warn(fields, message);
    this.#buckets = new PostgresBuckets(schema, warn, place);
    this.#partIndexes =
      place === 'behind-fence'
        ? undefined
        : new PartIndexes(this.#connections, {
            ...{ schema, poolSize, warn, dialect: this.#buckets.dialect, after: indexAfter },
            layoutOf: (bucket) => this.#buckets.tables(bucket).layout,
          });
    this.#access = new Access(this.#connections, this.#buckets, patienceMs);
    this.#transactions = new Transactions(this.#connections, this.#buckets.dialect, statementMs, patienceMs);
    this.#documents = new Documents(cacheBytes);
    this.#reads = new Reads(this.#connections, this.#documents);
    this.#lists = new Lists(this.#connections, this.#access, this.#documents, this.#reads);
  }

  /** Makes the first connection, and reads the clock. */
  async connect(): Promise<void> {
    await this.#access.run(() => this.#measure());
    this.#databaseClock.keep(() => this.#measure(1));
  }

  now(): number {
    return this.#clock.now();
  }

  explain(error: unknown): unknown {
    return storeError(error);
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    await this.#open(buckets);
    this.#partIndexes?.want(buckets.map(({ name }) => name));
  }

  async #open(buckets: readonly Bucket[]): Promise<void> {
    const start = performance.now();
    const { statementMs } = this.#options;
    for (;;) {
      await this.#access.run(() => this.#connections.use((session) => this.#buckets.refresh(session)));
      if (this.#buckets.outdated(buckets).length === 0) return;
      const isDone = await this.#access.run(() =>
        this.#connections.use((session) => this.#buckets.upgrade(session, buckets, statementMs)),
      );
      if (isDone) return;
      if (performance.now() - start > UPGRADE_MS) {
        throw new StoreUnavailableError('another process has been changing the tables for too long');
      }
      await pause(UPGRADE_PAUSE_MS * (0.5 + Math.random()));
    }
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    return this.#access.in(bucket.name, (tables) => this.#reads.get(tables, key) as Promise<Stored<T> | undefined>);
  }

  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    return this.#access.in(bucket.name, (tables) => this.#reads.getMany(tables, keys) as Promise<Stored<T>[]>);
  }

  scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    { signal }: ReadOptions,
  ): AsyncIterable<readonly Stored<T>[]> {
    return this.#lists.scan(bucket.name, query, signal) as AsyncIterable<readonly Stored<object>[]> as AsyncIterable<
      readonly Stored<T>[]
    >;
  }

  count(bucket: Bucket, filter?: Filter, { signal }: ReadOptions = {}): Promise<number> {
    return this.#lists.count(bucket.name, filter, signal);
  }

  async batch(writes: readonly Write[]): Promise<string[]> {
    this.#access.refuseIfClosed();
    // Serialized now, so that later changes to the caller's objects are not written.
    const prepared = writes.map((write) => prepareWrite(write, this.#buckets.tables(write.bucket.name).layout));
    const writing = this.#access.run(() =>
      this.#transactions.run((framing) =>
        applyBatch(prepared, {
          tables: (bucket) => this.#buckets.tables(bucket),
          etags: this.#etags,
          documents: this.#documents,
          now: this.#clock.now(),
          ...framing,
        }),
      ),
    );
    return await this.#writing.add(writing);
  }

  async ping(): Promise<void> {
    await this.#access.run(() =>
      this.#connections
        .use((session) => session.run(PROBE))
        .catch((error: unknown) => {
          // Whoever asks does not want to wait for a primary; the connection is given up, as by a write.
          throw isReadOnly(error) ? new StoreUnavailableError(READ_ONLY, { cause: error }) : error;
        }),
    );
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#access.close();
    this.#databaseClock.stop();
    await this.#partIndexes?.close();
    await this.#writing.ended();
    await this.#connections.close();
  }

  async #measure(most?: number): Promise<void> {
    await this.#connections.use((session) => this.#databaseClock.measure(() => databaseTime(session), most));
  }
}
