/** SQLite's result codes in the terms of the store. */
import Database from 'better-sqlite3';
import { StoreFullError, StoreUnavailableError } from '../errors.ts';
import type { Collision } from '../sql/dialect.ts';

/** Another connection holds a lock, is recovering the log, or is changing the schema; the same call will work soon. */
const BUSY = /^SQLITE_(BUSY|LOCKED|PROTOCOL)(_|$)/;

/** The disk has no room for the log or its index. */
const FULL = /^SQLITE_(FULL|IOERR_SHMSIZE)$/;

/** SQLite's codes for a write that the file system refused, whatever the reason; a user's quota is one. */
const WRITE_FAILED = /^SQLITE_(IOERR_WRITE|IOERR_FSYNC|CANTOPEN)$/;

/** Disk, file or memory failed, not the statement. */
const UNAVAILABLE = /^SQLITE_(FULL|IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB|NOMEM|NOLFS|PERM|AUTH)(_|$)/;

function hasCode(error: unknown, codes: RegExp): error is Error {
  return error instanceof Database.SqliteError && codes.test(error.code);
}

export function isBusy(error: unknown): boolean {
  return hasCode(error, BUSY);
}

export function isFull(error: unknown): boolean {
  return hasCode(error, FULL);
}

/** A failure that may be due to a full disk, which SQLite does not always report as such. */
export function isWriteFailure(error: unknown): boolean {
  return hasCode(error, WRITE_FAILED) || (error instanceof StoreUnavailableError && hasCode(error.cause, WRITE_FAILED));
}

/** The unique index that was violated: SQLite names the columns in its message. */
export function collisionOf(error: unknown): Collision | undefined {
  if (!hasCode(error, /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/)) return undefined;
  const [, table, column] = /^UNIQUE constraint failed: ([^.,]+)\.([^.,]+)/.exec(error.message) ?? [];
  return table === undefined || column === undefined ? undefined : { table, column };
}

/** The statement does not fit the schema, for example because another process has replaced a bucket's tables. */
export function isStatementError(error: unknown): boolean {
  return hasCode(error, /^SQLITE_(ERROR|SCHEMA)$/);
}

/**
 * The error that a caller of the store gets: failures of the machine become {@link StoreUnavailableError}, a full disk
 * {@link StoreFullError}.
 */
export function storeError(error: unknown): unknown {
  if (isFull(error)) {
    return fullError(error);
  }
  if (hasCode(error, UNAVAILABLE)) {
    return new StoreUnavailableError(`the document store failed: ${error.message}`, { cause: error });
  }
  return error;
}

export function fullError(cause?: unknown): StoreFullError {
  return new StoreFullError('the disk is full: only writes that free space are accepted', { cause });
}
