/** SQLite's side of the SQL that the backends share. */
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
import type { Slot, SqlDialect } from '../sql/dialect.ts';
import type { Scalar } from '../store.ts';
import { WANTED } from './connection.ts';

/**
 * A plain `?` makes SQLite plan the statement anew for every value that is bound to it, wherever the plan could depend
 * on the value; that takes longer than most queries. What stands behind a plus is no bare parameter.
 */
class PlannedOnce extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}

/** Compiles only: statements run on the connection itself, prepared once. */
const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new PlannedOnce(),
  },
});

/** A parameter of a statement whose values are given by position. */
export const parameter = sql.val(null);

/** Booleans are 0 and 1. */
export function encode(value: Scalar): string | number {
  return typeof value === 'boolean' ? Number(value) : value;
}

export const sqliteDialect: SqlDialect = {
  compile: (query: RawBuilder<unknown>): CompiledQuery => query.compile(compiler),
  encode,
  encodeList: (values) => JSON.stringify(values),
  oneOf: (column, list: Slot) => sql<boolean>`${column} in (select value from json_each(${list}))`,
  // Not LIKE: it does not tell upper from lower case.
  substring: (column, text: Slot) => sql<boolean>`instr(${column}, ${text}) > 0`,
  wanted: sql<boolean>`${sql.raw(WANTED)}()`,
  order: (column, order) => sql`${column} ${sql.raw(order)}`,
};
