/**
 * Documents in one SQLite file, for one machine; any number of processes may have it open at the same time.
 *
 * Writes and reads by key run on the caller's thread (a hot `get` takes microseconds, less than handing it to another
 * thread would), but never wait for another process's lock there. Lists that are not short are found by reading
 * threads in bounded steps, so that no search blocks this thread, and none holds memory or a snapshot for long.
 */
import type { Clock } from '../../runtime/clock.ts';
import { assertTakesWrites, MEND_DISK } from '../../runtime/disk-takes-writes.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import type { DocumentBackend } from '../backend.ts';
import { closedError, StoreUnavailableError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import type { Place } from '../moving/moved.ts';
import { applyBatch } from '../sql/batch.ts';
import { CACHE_BYTES, Documents } from '../sql/documents.ts';
import { EtagSource } from '../sql/etags.ts';
import type { Layout } from '../sql/layout.ts';
import { prepareWrite } from '../sql/prepared-write.ts';
import type { Bucket, Filter, KeptList, Query, ReadOptions, ScanOptions, Store, Stored, Write } from '../store.ts';
import { Access } from './access.ts';
import { SqliteBuckets } from './buckets.ts';
import { connect } from './connect.ts';
import { type Connection, IN_MEMORY } from './connection.ts';
import { storeError } from './failure.ts';
import { Lists } from './lists.ts';
import { Pages } from './pages.ts';
import { PATIENCE } from './patience.ts';
import { Reads } from './reads.ts';
import type { Reserve } from './reserve.ts';
import { run } from './run.ts';
import { Touched } from './touched.ts';
import { INDEX_AFTER, TrigramBuilder } from './trigram-builder.ts';
import { Trigrams } from './trigrams.ts';
import { Writer } from './writer.ts';

export interface SqliteStoreOptions {
  /** Path of the database file, or ':memory:'. Missing folders are created. */
  readonly path: string;
  /** Default: the machine's clock, as read by SQLite. */
  readonly clock?: Clock;
  readonly log?: { warn(fields: object, message: string): void };
  /** Milliseconds to wait for other processes before an operation fails; default 10 seconds. */
  readonly patience?: number;
  /** Approximate bytes of documents to keep in memory. */
  readonly cacheBytes?: number;
  /** Bytes of disk to set aside for deletions when it is full, see `reserve.ts`; default none. */
  readonly reserve?: number;
  /** Milliseconds after which what is there begins to be indexed, if it is not. Default: some seconds. */
  readonly indexAfter?: number;
  readonly observer?: OperationObserver;
  /** Default: the documents that are there if nothing has ever moved. */
  readonly place?: Place;
}

/** @throws StoreUnavailableError when the file cannot be used */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  return guardStore(await openSqliteBackend(options), options.observer);
}

export async function openSqliteBackend(options: Omit<SqliteStoreOptions, 'observer'>): Promise<SqliteStore> {
  const { path, patience = PATIENCE, reserve = 0, log } = options;
  const connected = await connect({ path, patience, reserve, log });
  return new SqliteStore(connected.connection, options, connected.reserve);
}

export class SqliteStore implements DocumentBackend {
  readonly name = 'sqlite';
  readonly #path: string;
  readonly #connection: Connection;
  readonly #buckets: SqliteBuckets;
  readonly #access: Access;
  readonly #documents: Documents;
  readonly #reads: Reads;
  readonly #touched: Touched;
  readonly #trigrams: Trigrams;
  readonly #builder: TrigramBuilder;
  readonly #pages: Pages;
  readonly #lists: Lists;
  readonly #writer: Writer;
  readonly #etags = new EtagSource();
  readonly #clock: Clock;
  readonly #log: SqliteStoreOptions['log'];
  readonly #place: Place;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, options: Omit<SqliteStoreOptions, 'observer'>, reserve?: Reserve) {
    const {
      path,
      patience = PATIENCE,
      cacheBytes = CACHE_BYTES,
      clock = connection,
      log,
      indexAfter = INDEX_AFTER,
      place = { since: 0 },
    } = options;
    this.#path = path;
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#place = place;
    this.#buckets = new SqliteBuckets(connection, (fields, message) => log?.warn(fields, message), place);
    this.#access = new Access(this.#buckets, patience);
    this.#documents = new Documents(cacheBytes);
    this.#trigrams = new Trigrams(connection);
    this.#builder = new TrigramBuilder(path, connection, indexAfter, (fields, message) => log?.warn(fields, message));
    this.#reads = new Reads(connection, this.#documents, this.#trigrams);
    this.#touched = new Touched(connection);
    this.#pages = new Pages(connection, this.#touched, this.#documents);
    this.#lists = new Lists(path, connection, this.#access, this.#reads, this.#pages);
    this.#writer = new Writer(connection, patience, () => this.#buckets.refresh(), reserve);
  }

  now(): number {
    return this.#clock.now();
  }

  explain(error: unknown): unknown {
    return storeError(error);
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    const isOutdated = await this.#access.run(() => {
      this.#buckets.refresh();
      return this.#buckets.outdated(buckets).length > 0;
    });
    if (isOutdated) {
      await this.#access.run(() =>
        this.#connection.write(() => {
          this.#buckets.refresh();
          run(this.#connection, this.#buckets.declare(buckets));
        }),
      );
      await this.#connection.synced();
      await this.#access.run(() => this.#buckets.refresh());
    }
    await this.#speedUp(buckets);
  }

  /** Notes of writes and indexes of parts of texts. Without them lists are only answered more slowly: a full disk is no reason not to start. */
  async #speedUp(buckets: readonly Bucket[]): Promise<void> {
    if (this.#place === 'behind-fence') return;
    const layoutsOf = (): Layout[] => buckets.map(({ name }) => this.#buckets.tables(name).layout);
    const unnoted = (): Layout[] => {
      const version = this.#connection.schemaVersion();
      return layoutsOf().filter(({ table }) => !this.#touched.isNoted(table, version));
    };
    if (await this.#access.run(() => unnoted().length > 0)) {
      const failed = 'writes cannot be noted, so lists are answered more slowly';
      await this.#tryWrite(() => this.#touched.note(unnoted()), failed);
    }
    if (await this.#access.run(() => this.#trigrams.missing(layoutsOf()).length > 0)) {
      const failed = 'parts of texts cannot be indexed, so searches for them are slower';
      await this.#tryWrite(() => this.#trigrams.begin(layoutsOf()), failed);
    }
    if (await this.#access.run(() => this.#trigrams.isUnfinished())) this.#builder.start();
  }

  async #tryWrite(write: () => void, failed: string): Promise<void> {
    try {
      await this.#access.run(() => this.#connection.write(write));
      await this.#connection.synced();
    } catch (error) {
      this.#log?.warn({ err: error }, failed);
    }
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined | Promise<Stored<T> | undefined> {
    try {
      if (this.#access.isClosed) throw closedError();
      return this.#reads.get(this.#buckets.tables(bucket.name), key) as Stored<T> | undefined;
    } catch (error) {
      return this.#access.again(error, bucket.name, (tables) => this.#reads.get(tables, key) as Stored<T> | undefined);
    }
  }

  kept<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined {
    if (this.#access.isClosed) return undefined;
    return this.#reads.kept(this.#buckets.tables(bucket.name), key) as Stored<T> | undefined;
  }

  keptList<T extends object>(bucket: Bucket<T>, query: Query): KeptList<T> | undefined {
    if (this.#access.isClosed) return undefined;
    return this.#pages.find(this.#buckets.tables(bucket.name), query) as KeptList<object> | undefined as
      | KeptList<T>
      | undefined;
  }

  async getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    const rows = await this.#access.read(bucket.name, (tables) => this.#reads.getRows(tables, keys));
    return (await this.#reads.parse(rows, true)) as Stored<T>[];
  }

  scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    { signal, withoutValues = false }: ScanOptions,
  ): AsyncIterable<readonly Stored<T>[]> {
    return this.#lists.scan(bucket.name, query, { signal, isBare: withoutValues && !query.sort }) as AsyncIterable<
      readonly Stored<object>[]
    > as AsyncIterable<readonly Stored<T>[]>;
  }

  count(bucket: Bucket, filter?: Filter, { signal }: ReadOptions = {}): Promise<number> {
    return this.#lists.count(bucket.name, filter, signal);
  }

  /** How SQLite would run `find`: the lines of EXPLAIN QUERY PLAN. For tests and investigation. */
  async planOf(bucket: Bucket, query: Query): Promise<string[]> {
    return this.#access.read(bucket.name, (tables) => this.#reads.planOf(tables, query));
  }

  async batch(writes: readonly Write[], { frees }: { readonly frees: boolean }): Promise<string[]> {
    this.#access.refuseIfClosed();
    // Serialized now, so that later changes to the caller's objects are not written.
    const prepared = writes.map((write) => prepareWrite(write, this.#buckets.tables(write.bucket.name).layout));
    const apply = () =>
      run(
        this.#connection,
        applyBatch(prepared, {
          tables: (bucket) => this.#buckets.tables(bucket),
          etags: this.#etags,
          documents: this.#documents,
          now: this.#clock.now(),
        }),
      );
    return await this.#writer.write(apply, frees);
  }

  settled(): Promise<void> | undefined {
    this.#access.refuseIfClosed();
    return this.#connection.settled();
  }

  async ping(): Promise<void> {
    await this.#access.run(() => {
      this.#connection.assertInPlace();
      this.#buckets.refresh();
    });
    if (this.#path !== IN_MEMORY) await assertTakesWrites(this.#path).catch(readOnly);
  }

  async close(): Promise<void> {
    this.#access.close();
    this.#closing ??= Promise.all([this.#writer.drained(), this.#lists.close(), this.#builder.close()]).then(() =>
      this.#connection.close(),
    );
    await this.#closing;
  }
}

function readOnly(cause: NodeJS.ErrnoException): never {
  throw new StoreUnavailableError(`the disk of the documents takes no writes (${cause.code}): ${MEND_DISK}`, { cause });
}
