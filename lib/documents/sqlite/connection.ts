/** One connection to the database file, with the settings that the store relies on. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { FilesInPlace } from './in-place.ts';
import { LogSync } from './log-sync.ts';

export const IN_MEMORY = ':memory:';
/** The SQL function behind {@link ConnectionOptions.isWanted}. */
export const WANTED = 'wanted';
/** Kibibytes of cached pages: the rows of a hundred thousand objects without their documents. */
const PAGE_CACHE = 32_768;
/** Bytes of the write-ahead log to keep on disk after a checkpoint. */
const LOG_KEPT = 64 * 1024 * 1024;

export interface ConnectionOptions {
  /** Kibibytes of pages to cache. */
  readonly pageCache?: number;
  /** The connection never writes. */
  readonly isReader?: boolean;
  /** What is committed is on disk only after {@link Connection.synced}: no commit waits for the disk on this thread. */
  readonly isSyncedLater?: boolean;
  /** Called for each row that a list query looks at; `false` ends the statement with an error. */
  readonly isWanted?: () => boolean;
}

/** How far what reads show is: the commits of this connection, and a number that those of others change. */
interface Shown {
  readonly commits: number;
  readonly others: unknown;
}

export class Connection {
  readonly db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #beginImmediate: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  readonly #schemaVersion: Database.Statement;
  readonly #dataVersion: Database.Statement;
  readonly #now: Database.Statement;
  readonly #files: FilesInPlace | undefined;
  readonly #log: LogSync | undefined;
  #commits = 0;
  #onDisk: Shown | undefined;

  /** @throws SqliteError, also when the database is busy */
  constructor(path: string, options: ConnectionOptions = {}) {
    if (path !== IN_MEMORY) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // SQLite gives its log and index the mode of the database file.
      closeSync(openSync(path, 'a', 0o600));
    }
    this.db = new Database(path, { timeout: 0 });
    try {
      this.#configure(path, options);
      this.#begin = this.db.prepare('BEGIN');
      this.#beginImmediate = this.db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.db.prepare('COMMIT');
      this.#savepoint = this.db.prepare('SAVEPOINT nested');
      this.#release = this.db.prepare('RELEASE nested');
      this.#schemaVersion = this.db.prepare('PRAGMA schema_version').pluck();
      this.#dataVersion = this.db.prepare('PRAGMA data_version').pluck();
      this.#now = this.db.prepare("select unixepoch('subsec')").pluck();
      this.schemaVersion();
      this.#files = path === IN_MEMORY || options.isReader === true ? undefined : new FilesInPlace(path);
      this.#log = path !== IN_MEMORY && options.isSyncedLater === true ? new LogSync(path) : undefined;
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  #configure(path: string, { pageCache = PAGE_CACHE, isReader, isSyncedLater, isWanted }: ConnectionOptions): void {
    const mode = this.db.pragma('journal_mode = WAL', { simple: true });
    if (mode !== 'wal' && path !== IN_MEMORY) {
      throw new Error(`${path} cannot be used with a write-ahead log (its journal mode is ${mode})`);
    }
    // A batch must be on disk when its promise resolves. NORMAL syncs the log when it begins anew, and before a checkpoint.
    this.db.pragma(`synchronous = ${isSyncedLater === true ? 'NORMAL' : 'FULL'}`);
    this.db.pragma(`cache_size = -${pageCache}`);
    this.db.pragma(`journal_size_limit = ${LOG_KEPT}`);
    this.db.pragma('temp_store = MEMORY');
    if (isReader === true) {
      this.db.pragma('query_only = ON');
    }
    this.db.function(WANTED, () => {
      if (isWanted?.() === false) {
        throw new Error('this answer is no longer wanted');
      }
      return 1;
    });
  }

  /** A number that changes when any process changes a table or an index. */
  schemaVersion(): unknown {
    return this.#schemaVersion.get();
  }

  /** A number that changes when any other connection, of this process or another, has committed something. */
  dataVersion(): unknown {
    return this.#dataVersion.get();
  }

  /** Milliseconds since the epoch by the clock of the machine that the database file is on. */
  now(): number {
    return Math.round((this.#now.get() as number) * 1000);
  }

  /** Runs `body` with one snapshot. */
  read<T>(body: () => T): T {
    return this.#transaction(this.#begin, body);
  }

  /** @throws StoreUnavailableError when its files were removed or replaced, or a sync failed */
  assertInPlace(): void {
    this.#files?.assert();
    this.#log?.assert();
  }

  /** Resolves when all that is committed is on disk. @throws StoreUnavailableError */
  async synced(): Promise<void> {
    if (!this.#log) return;
    const shown = this.#shown();
    await this.#log.sync();
    this.#onDisk = shown;
  }

  /** The same; undefined if nothing was committed since the last time, by whomever. @throws StoreUnavailableError */
  settled(): Promise<void> | undefined {
    this.#log?.assert();
    const { commits, others } = this.#shown();
    return commits === this.#onDisk?.commits && others === this.#onDisk.others ? undefined : this.synced();
  }

  /** What reads show now. */
  #shown(): Shown {
    return { commits: this.#commits, others: this.dataVersion() };
  }

  /** Runs `body` as the only writer, atomically. @throws StoreUnavailableError */
  write<T>(body: () => T): T {
    this.assertInPlace();
    const result = this.#transaction(this.#beginImmediate, body);
    this.#commits += 1;
    return result;
  }

  /** Runs `body` within a transaction; if it fails, only its own work is undone. */
  nested<T>(body: () => T): T {
    this.#savepoint.run();
    try {
      const result = body();
      this.#release.run();
      return result;
    } catch (error) {
      // On a full disk, SQLite has already undone the whole transaction.
      if (this.db.inTransaction) {
        this.db.exec('ROLLBACK TO nested; RELEASE nested');
      }
      throw error;
    }
  }

  close(): void {
    this.#log?.close();
    this.db.close();
  }

  #transaction<T>(begin: Database.Statement, body: () => T): T {
    begin.run();
    try {
      const result = body();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.db.inTransaction) {
        this.db.exec('ROLLBACK');
      }
      throw error;
    }
  }
}
