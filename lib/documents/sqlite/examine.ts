/** Looks at a database file without being one of the processes that use it: nothing in it is made, upgraded or waited for. */
import Database from 'better-sqlite3';
import { Layout } from '../sql/layout.ts';
import type { Bucket } from '../store.ts';
import { sqliteDialect } from './dialect.ts';
import { BUILDING, KEEPING } from './trigram-building.ts';

export interface ExaminedFile {
  /** Tables whose index of parts of texts was begun and cannot be used yet. */
  readonly unfinished: readonly string[];
  /** How many can. */
  readonly finished: number;
}

/**
 * @param limit milliseconds, if somebody has locked the whole file
 * @throws SqliteError if it is no database, or cannot be read
 */
export function examineFile(path: string, limit: number): ExaminedFile {
  // One that is only for reading would leave the files of the log behind, where nobody else has it open.
  const db = new Database(path, { fileMustExist: true, timeout: limit });
  try {
    db.pragma('query_only = ON');
    const select = db.prepare<[string], string>(
      `select tbl_name from sqlite_schema where type = 'trigger' and name = ? || 'insert$' || tbl_name`,
    );
    return { unfinished: select.pluck().all(BUILDING), finished: select.pluck().all(KEEPING).length };
  } finally {
    db.close();
  }
}

/**
 * One document; undefined if there is none.
 * @param limit milliseconds, if somebody has locked the whole file
 * @throws SqliteError if it is no database, or cannot be read
 */
export function documentIn<T extends object>(
  path: string,
  limit: number,
  { bucket, key }: { readonly bucket: Bucket<T>; readonly key: string },
): T | undefined {
  const db = new Database(path, { fileMustExist: true, timeout: limit });
  try {
    db.pragma('query_only = ON');
    const { table, values } = new Layout(bucket, sqliteDialect.identifier);
    if (db.prepare('select 1 from sqlite_schema where name = ?').get(table) === undefined) return undefined;
    const select = db.prepare<[string], string>(
      `select value from "${table}" join "${values}" using (id) where key = ?`,
    );
    const text = select.pluck().get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } finally {
    db.close();
  }
}
