/** SQLite's dialect of the SQL that the backends share. */
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { SqlDialect } from '../sql/dialect.ts';
import { WANTED } from './connection.ts';
import { collisionOf } from './failure.ts';
import { statisticsOf } from './statistics.ts';
import { touchTriggers } from './touched.ts';
import { trigramTriggers } from './trigram-building.ts';

/**
 * With a plain `?`, SQLite plans a statement again for every bound value that its plan could depend on, which takes
 * longer than most queries. The unary plus makes it an expression, for which SQLite does not do this.
 */
class PlannedOnce extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}

/** Only compiles; statements are prepared once and run on the connection itself. */
const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new PlannedOnce(),
  },
});

export const sqliteDialect: SqlDialect = {
  compile: (query: RawBuilder<unknown>): CompiledQuery => query.compile(compiler),
  table: (name) => sql.id(name),
  identifier: (name) => name,
  // Booleans are 0 and 1.
  encode: (value) => (typeof value === 'boolean' ? Number(value) : value),
  encodeList: (values) => JSON.stringify(values),
  oneOf: (column, list) => sql<boolean>`${column} in (select value from json_each(${list}))`,
  // A cross join is made in the order in which it is written.
  only: (table, ids) => sql`(select value as its_id from json_each(${ids})) cross join ${table} on id = its_id`,
  // Not LIKE, which ignores case.
  substring: (column, text) => sql<boolean>`instr(${column}, ${text}) > 0`,
  encodePart: (text) => text,
  wanted: sql<boolean>`${sql.raw(WANTED)}()`,
  order: (column, order) => sql`${column} ${sql.raw(order)}`,
  indexed: (column) => column,
  // The planner takes an index with more of the conditions for better than one of few rows.
  unindexed: (column) => sql`+${column}`,
  derived: (query) => sql`(${query})`,
  types: {
    string: 'text',
    number: 'real',
    boolean: 'integer',
    rowId: 'integer primary key',
    integer: 'integer',
    time: 'integer',
    text: 'text',
    table: ' strict',
    keyedTable: ' strict, without rowid',
  },
  forUpdate: sql``,
  tableNamed: (name) => sql`select 1 from sqlite_schema where type = 'table' and name = ${name}`,
  untie: (table) =>
    [...touchTriggers(table), ...trigramTriggers(table)].map((name) => sql`drop trigger if exists ${sql.id(name)}`),
  collision: collisionOf,
  planner: {
    reload: sql`analyze sqlite_schema`,
    note: (index, declaration) =>
      sql`insert into sqlite_stat1 (tbl, idx, stat) values (${index.table}, ${index.name}, ${statisticsOf(index, declaration)})`,
    forget: (table) => sql`delete from sqlite_stat1 where tbl = ${table}`,
    rename: (from, to) => sql`update sqlite_stat1 set tbl = ${to} where tbl = ${from}`,
  },
};
