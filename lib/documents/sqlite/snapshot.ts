/** A copy of a database as it is at one moment, while any number of processes go on reading and writing it. */
import Database from 'better-sqlite3';

/** Milliseconds to wait for a process that holds the whole database at this moment. */
const PATIENCE = 10_000;

/**
 * Writes what is committed, the write-ahead log included, as one file of its own. Blocks the thread meanwhile.
 * @throws SqliteError when `from` is no database, `to` exists, or the disk is full
 */
export function snapshotDatabase(from: string, to: string): void {
  try {
    vacuumInto(from, to);
  } catch (error) {
    // Where no server has it open the index of the log has to be made; a full disk has no room for that.
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

/** Whether it is a database whose pages are whole; otherwise what is wrong with it. */
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

/** Held by one process at most; the operating system lets go of it when that process ends, however it does. */
export interface Exclusive {
  release(): void;
}

/** Undefined when another process has it. The file stays. @throws SqliteError also where nothing can be written */
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

/** Whether an error of {@link holdExclusively} says that nothing can be written there. */
export function isReadOnly(error: unknown): boolean {
  return /^SQLITE_(READONLY|CANTOPEN)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
