/** PostgreSQL's dialect of the SQL that the backends share. */
import { createHash } from 'node:crypto';
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  sql,
} from 'kysely';
import type { SqlDialect } from '../sql/dialect.ts';
import { collisionOf } from './failure.ts';
import { piecesOf, shortPieces } from './short-pieces.ts';

/** Indexes of parts of texts that a table may have beside those of its declaration, by how their names end. */
export const PART_INDEXES = ['pairs', 'parts'] as const;
export type PartIndex = (typeof PART_INDEXES)[number];

/** Bytes of a name; what is longer, PostgreSQL cuts off, and then different names may be the same. */
const LONGEST_NAME = 63;
const HASH_LENGTH = 12;
/** By bytes in UTF-8, whatever the locale of the database. */
const TEXT = 'text collate "C"';

/** Only compiles: statements are run on connections of the pool. */
const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/**
 * Names carry their schema: the search path of a connection is a setting of its session, and PgBouncer gives each
 * transaction another one.
 */
export function postgresDialect(schema: string): SqlDialect {
  const table = (name: string) => sql.id(schema, name);
  return {
    compile: (query: RawBuilder<unknown>): CompiledQuery => query.compile(compiler),
    table,
    identifier,
    encode: (value) => value,
    encodeList: (values) => values,
    oneOf: (column, list) => sql<boolean>`${column} = any(${list})`,
    only: (table, ids) => sql`unnest(${ids}::bigint[]) as wanted (its_id) join ${table} on id = its_id`,
    // What an index of pg_trgm serves, where there is one; and one of shorter pieces.
    substring: (column, text, pieces) => {
      const holds = sql<boolean>`${column} like ${text}`;
      return pieces === undefined ? holds : sql<boolean>`(${holds} and ${shortPieces(column)} @> ${pieces}::text[])`;
    },
    piecesOf,
    encodePart: (text) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`,
    order: (column, order) => sql`${column} ${sql.raw(order === 'asc' ? 'asc nulls first' : 'desc nulls last')}`,
    // Read backwards, such an index has the absent values last.
    indexed: (column) => sql`${column} nulls first`,
    derived: (query) => sql`(${query}) as part`,
    types: {
      string: TEXT,
      number: 'double precision',
      boolean: 'boolean',
      rowId: 'bigint generated always as identity primary key',
      integer: 'bigint',
      time: 'bigint',
      text: TEXT,
      table: '',
      keyedTable: '',
    },
    forUpdate: sql` for update`,
    // Every batch selects rows of it for update, which waits for this; plain reads do not.
    keep: (name) => sql`lock table ${table(name)} in exclusive mode`,
    tableNamed: (name) => sql`select 1 from pg_catalog.pg_tables where schemaname = ${schema} and tablename = ${name}`,
    partIndexes: (name) => PART_INDEXES.map((kind) => partIndexOf(name, kind)),
    renameIndex: (from, to) => sql`alter index if exists ${table(from)} rename to ${sql.id(to)}`,
    collision: collisionOf,
  };
}

/** The name of such an index. */
export function partIndexOf(table: string, kind: PartIndex): string {
  return identifier(`${table}$$${kind}`);
}

function identifier(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, LONGEST_NAME - HASH_LENGTH - 1)}$${hash}`;
}
