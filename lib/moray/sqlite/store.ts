/**
 * Documents in one SQLite file, for one machine: any number of processes may have it open at once.
 *
 * Reads and writes run on the thread of the caller (a hot `get` takes microseconds, less than handing it to another
 * thread would), but nothing ever waits for another process's lock there.
 */
import { type Clock, systemClock } from '../../clock.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Bucket, Filter, Query, Store, Stored, Write } from '../store.ts';
import { applyBatch } from './batch.ts';
import { Buckets } from './buckets.ts';
import { Connection } from './connection.ts';
import { CACHE_CHARACTERS, Documents } from './documents.ts';
import { EtagSource } from './etags.ts';
import { closedError, isBusy, isStatementError, storeError } from './failure.ts';
import { PATIENCE, patiently } from './patience.ts';
import { Reads } from './reads.ts';
import { prepareWrite } from './row.ts';
import type { Tables } from './tables.ts';
import { Writer } from './writer.ts';

export interface SqliteStoreOptions {
  /** Path of the database file, or ':memory:'. Missing folders are made. */
  readonly path: string;
  readonly clock?: Clock;
  readonly log?: { warn(fields: object, message: string): void };
  /** Milliseconds to wait for other processes before an operation fails; 10 seconds unless given. */
  readonly patience?: number;
  /** Characters of JSON whose parsed form is kept in memory. */
  readonly cacheCharacters?: number;
}

/** @throws StoreUnavailableError when the file cannot be used */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const connection = await patiently(() => connect(options.path), options.patience ?? PATIENCE);
  return new SqliteStore(connection, options);
}

function connect(path: string): Connection {
  try {
    return new Connection(path);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new StoreUnavailableError(`the folder of ${path} cannot be made`, { cause: error });
    }
    throw error;
  }
}

export class SqliteStore implements Store {
  readonly #connection: Connection;
  readonly #buckets: Buckets;
  readonly #documents: Documents;
  readonly #reads: Reads;
  readonly #writer: Writer;
  readonly #etags = new EtagSource();
  readonly #clock: Clock;
  readonly #patience: number;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, options: SqliteStoreOptions) {
    this.#connection = connection;
    this.#clock = options.clock ?? systemClock;
    this.#patience = options.patience ?? PATIENCE;
    this.#buckets = new Buckets(connection, (fields, message) => options.log?.warn(fields, message));
    this.#documents = new Documents(options.cacheCharacters ?? CACHE_CHARACTERS);
    this.#reads = new Reads(connection, this.#documents);
    this.#writer = new Writer(connection, this.#patience, () => this.#buckets.refresh());
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    const outdated = await this.#run(() => {
      this.#buckets.refresh();
      return buckets.filter((bucket) => this.#buckets.isOutdated(bucket)).length > 0;
    });
    if (outdated) {
      await this.#run(() => this.#connection.write(() => this.#buckets.declare(buckets)));
      await this.#run(() => this.#buckets.refresh());
    }
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    const stored = this.#read(bucket, (tables) => this.#reads.get(tables, key));
    return stored as Promise<Stored<T> | undefined>;
  }

  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    const stored = this.#read(bucket, (tables) => this.#reads.getMany(tables, keys));
    return stored as Promise<Stored<T>[]>;
  }

  find<T extends object>(bucket: Bucket<T>, query: Query): Promise<Stored<T>[]> {
    const stored = this.#read(bucket, (tables) => this.#reads.find(tables, query));
    return stored as Promise<Stored<T>[]>;
  }

  count(bucket: Bucket, filter?: Filter): Promise<number> {
    return this.#read(bucket, (tables) => this.#reads.count(tables, filter));
  }

  /** How SQLite would run `find`: the lines of EXPLAIN QUERY PLAN. For tests and for the curious. */
  explain(bucket: Bucket, query: Query): Promise<string[]> {
    return this.#read(bucket, (tables) => this.#reads.explain(tables, query));
  }

  async batch(writes: readonly Write[]): Promise<string[]> {
    this.#refuseIfClosed();
    // Taken apart now: what the caller does to its objects afterwards is not written.
    const prepared = writes.map((write) => prepareWrite(write, this.#buckets.tables(write.bucket.name).layout));
    if (prepared.length === 0) {
      return [];
    }
    return await this.#writer.write(() =>
      applyBatch(prepared, {
        tables: (bucket) => this.#buckets.tables(bucket),
        etags: this.#etags,
        documents: this.#documents,
        now: this.#clock.now(),
      }),
    );
  }

  async ping(): Promise<void> {
    await this.#run(() => this.#connection.schemaVersion());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#writer.drained().then(() => this.#connection.close());
    await this.#closing;
  }

  #refuseIfClosed(): void {
    if (this.#closing !== undefined) {
      throw closedError();
    }
  }

  async #run<T>(body: () => T): Promise<T> {
    return await patiently(() => {
      this.#refuseIfClosed();
      return body();
    }, this.#patience);
  }

  /** Runs a read. Nearly always it can be done at once; what follows is for the rest. */
  async #read<T>(bucket: Bucket, body: (tables: Tables) => T): Promise<T> {
    try {
      this.#refuseIfClosed();
      return body(this.#buckets.tables(bucket.name));
    } catch (error) {
      if (isBusy(error) || isStatementError(error)) {
        return await this.#readAgain(bucket, body);
      }
      throw storeError(error);
    }
  }

  /** Runs a read until the database is not busy; once more if another process has replaced its tables. */
  async #readAgain<T>(bucket: Bucket, body: (tables: Tables) => T): Promise<T> {
    return await this.#run(() => {
      try {
        return body(this.#buckets.tables(bucket.name));
      } catch (error) {
        if (isStatementError(error) && this.#buckets.refresh()) {
          return body(this.#buckets.tables(bucket.name));
        }
        throw error;
      }
    });
  }
}
