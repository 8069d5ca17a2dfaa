/** Copies a database as of one moment, while other processes go on reading and writing it. */
import Database from 'better-sqlite3';

/** Milliseconds to wait for a process that has locked the whole database. */
const PATIENCE = 10_000;

/**
 * Writes everything that is committed, including the write-ahead log, to a new file. Blocks the thread meanwhile.
 * @throws SqliteError when `from` is not a database, `to` exists, or the disk is full
 */
export function snapshotDatabase(from: string, to: string): void {
  try {
    vacuumInto(from, to);
  } catch (error) {
    // If no server has the database open, the index of its log has to be created, for which a full disk has no space.
    if (!hasNoIndex(error)) throw error;
    vacuumInto(from, to, 'PRAGMA locking_mode = EXCLUSIVE');
  }
}

function vacuumInto(from: string, to: string, setting = ''): void {
  const db = new Database(from, { fileMustExist: true, timeout: PATIENCE });
  try {
    db.exec(setting);
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function hasNoIndex(error: unknown): boolean {
  return /^SQLITE_IOERR_SHM/.test(codeOf(error));
}

/** What is wrong with the database; undefined if it is sound. */
export function problemOfDatabase(path: string): string | undefined {
  const db = new Database(path, { fileMustExist: true, readonly: true });
  try {
    const found = db.pragma('quick_check(1)', { simple: true });
    return found === 'ok' ? undefined : String(found);
  } catch (error) {
    return (error as Error).message;
  } finally {
    db.close();
  }
}

/** A lock that only one process can hold; the operating system releases it when that process ends, however it ends. */
export interface Exclusive {
  release(): void;
}

/** Undefined if another process has the lock. The file stays. @throws SqliteError, also if it cannot be written */
export function holdExclusively(path: string): Exclusive | undefined {
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
  return { release: () => db.close() };
}

/** Whether an error of {@link holdExclusively} means that nothing can be written there. */
export function isReadOnly(error: unknown): boolean {
  return /^SQLITE_(READONLY|CANTOPEN)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
