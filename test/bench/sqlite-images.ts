/**
 * Puts images straight into the database of a server that does not run, and has run before: rows as the engine itself
 * would write them, with triggers and indexes made anew at the end. A million takes a minute or so.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Layout } from '#lib/documents/sql/layout.ts';
import { sqliteDialect } from '#lib/documents/sqlite/dialect.ts';
import { indexRows } from '#lib/documents/sqlite/trigram-building.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { ARCHIVED } from '#src/images/files/archive.ts';
import { type Document, imageDocuments, rowsOf } from './rows.ts';

export function fillSqlite(dataDir: string, count: number): void {
  const db = new Database(join(dataDir, 'imgapi.db'));
  try {
    // Nothing has to survive a crash.
    db.pragma('journal_mode = MEMORY');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -400000');
    db.exec('BEGIN');
    const documentOf = imageDocuments(count);
    fillBucket(db, IMAGES, count, documentOf);
    // As images that have been there for a while: or the server would be busy with archiving them.
    fillBucket(db, ARCHIVED, count, (index) => archived(documentOf(index)));
    db.exec('COMMIT');
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

/** No two documents have the same etag, of whatever bucket. */
function archived({ etag, ...document }: Document): Document {
  return { ...document, etag: `archived.${etag}`, value: { etag } };
}

function fillBucket(
  db: Database.Database,
  bucket: Bucket,
  count: number,
  documentOf: (index: number) => Document,
): void {
  const layout = new Layout(bucket, sqliteDialect.identifier);
  const declared = layout.tables.flatMap((table) => declaredOn(db, table));
  // What the planner is told goes with an index.
  const told = db.prepare('select tbl, idx, stat from sqlite_stat1').raw().all();
  for (const { type, name } of declared) db.exec(`drop ${type} "${name}"`);
  const inserts = new Map(layout.tables.map((table) => [table, insertInto(db, table)]));
  for (let index = 0; index < count; index++) {
    for (const [table, rows] of rowsOf(layout, documentOf(index))) {
      for (const row of rows) inserts.get(table)?.run(...row.map(encoded));
    }
  }
  for (const { sql } of declared) db.exec(sql);
  db.exec('delete from sqlite_stat1');
  const tell = db.prepare('insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)');
  for (const row of told) tell.run(row);
  // What the triggers would have kept. Their notes of writes are for those who looked before.
  if (layout.fields.some(([, { substrings }]) => substrings)) {
    indexRows({ db }, { table: layout.table, upTo: 0 }, count);
  }
}

interface Declared {
  readonly type: 'index' | 'trigger';
  readonly name: string;
  readonly sql: string;
}

/** Indexes and triggers that were declared; the ones that SQLite makes itself have no text. */
function declaredOn(db: Database.Database, table: string): Declared[] {
  const select = db.prepare<[string], Declared>(
    `select type, name, sql from sqlite_schema where type in ('index', 'trigger') and tbl_name = ? and sql is not null`,
  );
  return select.all(table);
}

function insertInto(db: Database.Database, table: string): Database.Statement {
  const columns = db.pragma(`table_info("${table}")`) as unknown[];
  return db.prepare(`insert into "${table}" values (${columns.map(() => '?').join()})`);
}

function encoded(cell: string | number | boolean | null): string | number | null {
  return typeof cell === 'boolean' ? Number(cell) : cell;
}
