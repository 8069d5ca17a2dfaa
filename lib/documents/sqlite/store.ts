/**
 * Documents in one SQLite file, for one machine: any number of processes may have it open at once.
 *
 * Writes and what is read by its key run on the thread of the caller (a hot `get` takes microseconds, less than handing
 * it to another thread would), but nothing ever waits for another process's lock there. Lists that are not short are
 * found by threads of their own, in steps that end, so that no search is long here and none holds memory or a snapshot
 * for long.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { OperationObserver } from '../../runtime/operation-observer.ts';
import type { DocumentBackend } from '../backend.ts';
import { StoreFullError, StoreUnavailableError } from '../errors.ts';
import { guardStore } from '../guarded-store.ts';
import type { Bucket, Filter, Query, ReadOptions, Store, Stored, Write } from '../store.ts';
import { applyBatch } from './batch.ts';
import { Buckets } from './buckets.ts';
import { Connection, IN_MEMORY } from './connection.ts';
import { CACHE_BYTES, Documents } from './documents.ts';
import { EtagSource } from './etags.ts';
import { closedError, fullError, isBusy, isStatementError, storeError } from './failure.ts';
import { Pages } from './pages.ts';
import { PATIENCE, patiently } from './patience.ts';
import type { AnswerOf, Job } from './reading/protocol.ts';
import { Readers } from './reading/readers.ts';
import { ShortReads } from './reading/short-reads.ts';
import { Steps } from './reading/steps.ts';
import { charactersOf, type Progress, placeIn, Reads } from './reads.ts';
import { Reserve } from './reserve.ts';
import { prepareWrite } from './row.ts';
import type { Tables } from './tables.ts';
import { Writer } from './writer.ts';

/** Milliseconds for an answer of another thread that might as well be found by this one. */
const SHORT = 2;

export interface SqliteStoreOptions {
  /** Path of the database file, or ':memory:'. Missing folders are made. */
  readonly path: string;
  /** Instead of the machine's clock, which SQLite asks. */
  readonly clock?: Clock;
  readonly log?: { warn(fields: object, message: string): void };
  /** Milliseconds to wait for other processes before an operation fails; 10 seconds unless given. */
  readonly patience?: number;
  /** Bytes of documents that are kept in memory, about. */
  readonly cacheBytes?: number;
  /** Bytes of the disk to set aside for deletions when it is full, see `reserve.ts`; none unless given. */
  readonly reserve?: number;
  readonly observer?: OperationObserver;
}

/** @throws StoreUnavailableError when the file cannot be used */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  return guardStore(await openSqliteBackend(options), options.observer);
}

export async function openSqliteBackend(options: Omit<SqliteStoreOptions, 'observer'>): Promise<SqliteStore> {
  const { path, patience = PATIENCE, reserve: size = 0, log } = options;
  const reserve = size > 0 && path !== IN_MEMORY ? new Reserve(path, size) : undefined;
  const connection = await connectOnAnyDisk(() => patiently(() => connect(path), patience), reserve);
  if (reserve !== undefined && !(await reserve.hold())) {
    log?.warn({ path }, 'the disk is full: what frees space is written, and nothing else');
  }
  if (reserve?.problem !== undefined) {
    log?.warn({ err: reserve.problem, path }, 'no disk space can be set aside for deletions');
  }
  return new SqliteStore(connection, options, reserve);
}

/** A full disk has no room for the log either, which the first connection makes. */
async function connectOnAnyDisk(attempt: () => Promise<Connection>, reserve: Reserve | undefined): Promise<Connection> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(await reserve?.isLackOfRoom(error))) {
        throw error;
      }
      if (reserve?.release() !== true) {
        throw error instanceof StoreFullError ? error : fullError(error);
      }
    }
  }
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

export class SqliteStore implements DocumentBackend {
  readonly name = 'sqlite';
  readonly #connection: Connection;
  readonly #buckets: Buckets;
  readonly #documents: Documents;
  readonly #reads: Reads;
  readonly #pages: Pages;
  /** Run the steps of lists; a database in memory is seen by no connection but one. */
  readonly #steps: { readonly short: ShortReads; readonly long: Readers } | Steps;
  readonly #writer: Writer;
  readonly #etags = new EtagSource();
  readonly #clock: Clock;
  readonly #patience: number;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, options: SqliteStoreOptions, reserve?: Reserve) {
    this.#connection = connection;
    this.#clock = options.clock ?? connection;
    this.#patience = options.patience ?? PATIENCE;
    this.#buckets = new Buckets(connection, (fields, message) => options.log?.warn(fields, message));
    this.#documents = new Documents(options.cacheBytes ?? CACHE_BYTES);
    this.#reads = new Reads(connection, this.#documents);
    this.#pages = new Pages(connection);
    this.#steps =
      options.path === IN_MEMORY
        ? new Steps(connection)
        : { short: new ShortReads(options.path), long: new Readers(options.path) };
    this.#writer = new Writer(connection, this.#patience, () => this.#buckets.refresh(), reserve);
  }

  now(): number {
    return this.#clock.now();
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

  explain(error: unknown): unknown {
    return storeError(error);
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined | Promise<Stored<T> | undefined> {
    try {
      this.#refuseIfClosed();
      return this.#reads.get(this.#buckets.tables(bucket.name), key) as Stored<T> | undefined;
    } catch (error) {
      if (!isPassing(error)) throw error;
      return this.#readAgain(bucket, (tables) => this.#reads.get(tables, key) as Stored<T> | undefined);
    }
  }

  async getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    const rows = await this.#read(bucket, (tables) => this.#reads.getRows(tables, keys));
    return (await this.#reads.parse(rows, true)) as Stored<T>[];
  }

  async *scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    { signal }: ReadOptions,
  ): AsyncGenerator<readonly Stored<T>[], void> {
    const place = await this.#read(bucket, (tables) => this.#pages.placeOf(tables, query));
    const known = this.#pages.get(place);
    if (known !== undefined) {
      if (known.length > 0) {
        yield known as readonly Stored<T>[];
      }
      return;
    }
    for (let progress: Progress | undefined = { query, isFirst: true }; progress !== undefined; ) {
      const { isFirst }: Progress = progress;
      const { documents, characters, next } = await this.#step(bucket, progress, signal);
      if (isFirst && next === undefined) {
        this.#pages.keep(place, documents, characters);
      }
      if (documents.length > 0) {
        yield documents as readonly Stored<object>[] as readonly Stored<T>[];
      }
      progress = next;
    }
  }

  async count(bucket: Bucket, filter?: Filter, { signal }: ReadOptions = {}): Promise<number> {
    const { answer } = await this.#far(bucket, (tables) => this.#reads.countJob(tables, filter), signal);
    return answer ?? 0;
  }

  /** How SQLite would run `find`: the lines of EXPLAIN QUERY PLAN. For tests and for the curious. */
  planOf(bucket: Bucket, query: Query): Promise<string[]> {
    return this.#read(bucket, (tables) => this.#reads.planOf(tables, query));
  }

  async batch(writes: readonly Write[], { frees }: { readonly frees: boolean }): Promise<string[]> {
    this.#refuseIfClosed();
    // Taken apart now: what the caller does to its objects afterwards is not written.
    const prepared = writes.map((write) => prepareWrite(write, this.#buckets.tables(write.bucket.name).layout));
    const apply = () =>
      applyBatch(prepared, {
        tables: (bucket) => this.#buckets.tables(bucket),
        etags: this.#etags,
        documents: this.#documents,
        now: this.#clock.now(),
      });
    return await this.#writer.write(apply, frees);
  }

  async ping(): Promise<void> {
    await this.#run(() => {
      this.#connection.assertInPlace();
      this.#connection.schemaVersion();
    });
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all([this.#writer.drained(), this.#closeReaders()]).then(() => this.#connection.close());
    await this.#closing;
  }

  async #closeReaders(): Promise<void> {
    if (this.#steps instanceof Steps) {
      return;
    }
    this.#steps.short.close();
    await this.#steps.long.close();
  }

  /** Reads a list on; `next` is absent when all of it was read. */
  async #step(bucket: Bucket, progress: Progress, signal: AbortSignal | undefined) {
    const make = (tables: Tables) => this.#reads.findJob(tables, progress);
    const { answer, job, tables } = await this.#far(bucket, make, signal);
    if (answer === undefined || job === undefined) {
      return { documents: [], characters: 0, next: undefined };
    }
    const documents = await this.#reads.parse(answer.documents, progress.isFirst);
    const characters = charactersOf(answer.documents);
    const { query, rest } = progress;
    const left = query.limit === undefined ? undefined : query.limit - documents.length;
    const last = documents.at(-1);
    const isEnd = job.refs === undefined ? answer.isEnd : rest?.isEnd === true;
    if (left === 0 || (isEnd && !answer.isStale && answer.rest.ids.length === 0)) {
      return { documents, characters, next: undefined };
    }
    const next: Progress = {
      query: {
        ...query,
        ...(last === undefined ? {} : { after: placeIn(query, tables, last) }),
        ...(left === undefined ? {} : { limit: left }),
      },
      ...(answer.isStale || answer.rest.ids.length === 0 ? {} : { rest: { refs: answer.rest, tables, isEnd } }),
      isFirst: false,
    };
    return { documents, characters, next };
  }

  /** Has a job done; once more from the start when another process has replaced the tables meanwhile. */
  async #far<J extends Job>(
    bucket: Bucket,
    make: (tables: Tables) => J | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ tables: Tables; job?: J; answer?: AnswerOf[J['type']] }> {
    return await patiently(async () => {
      for (;;) {
        this.#refuseIfClosed();
        const tables = this.#buckets.tables(bucket.name);
        const job = make(tables);
        if (job === undefined) {
          return { tables };
        }
        try {
          return { tables, job, answer: await this.#carryOut(job, signal) };
        } catch (error) {
          if (!isStatementError(error)) {
            throw error;
          }
          await this.#run(() => this.#buckets.refresh());
          if (this.#buckets.tables(bucket.name) === tables) {
            throw error;
          }
        }
      }
    }, this.#patience);
  }

  async #carryOut<J extends Job>(job: J, signal: AbortSignal | undefined): Promise<AnswerOf[J['type']]> {
    if (this.#steps instanceof Steps) {
      return this.#steps.run(job) as AnswerOf[J['type']];
    }
    const { short, long } = this.#steps;
    const atOnce = short.try(job);
    if (atOnce !== undefined) {
      return atOnce;
    }
    const start = performance.now();
    const answer = await long.run(job, signal);
    if (performance.now() - start < SHORT) {
      short.forget(job);
    }
    return answer;
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
      if (!isPassing(error)) throw error;
      return await this.#readAgain(bucket, body);
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

/** Another process is at work, or has replaced the tables: the same read may be made again. */
function isPassing(error: unknown): boolean {
  return isBusy(error) || isStatementError(error);
}
