/** The tables of a bucket, and the list of buckets that says which version of each is the current one. */
import { sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { Layout } from '../sql/layout.ts';
import type { IndexType } from '../store.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import { elementStatistics, indexStatistics, orderedElementStatistics } from './statistics.ts';

const COLUMN_TYPES: Readonly<Record<IndexType, string>> = { string: 'text', number: 'real', boolean: 'integer' };

/** The declarations in force, which may be newer than those of this process. */
export function readBuckets({ db }: Connection): Map<string, Declaration> {
  const known = db.prepare(`select 1 from sqlite_schema where type = 'table' and name = 'buckets'`).get();
  const rows = known === undefined ? [] : db.prepare<[], string>('select declaration from buckets').pluck().all();
  return new Map(
    rows.map((json) => {
      const declaration: Declaration = JSON.parse(json);
      return [declaration.name, declaration];
    }),
  );
}

/** Makes a declaration the one in force. */
export function writeBucket({ db }: Connection, declaration: Declaration): void {
  db.exec('create table if not exists buckets (name text primary key, declaration text not null) strict');
  const { name, version, index, together } = declaration;
  db.prepare('insert or replace into buckets values (?, ?)').run(
    name,
    JSON.stringify({ name, version, index, together }),
  );
}

export function createTables(connection: Connection, layout: Layout): void {
  const columns = layout.fields.map(
    ([field, { type, array }]) =>
      sql`${sql.id(layout.column(field))} ${sql.raw(array === true ? 'integer' : COLUMN_TYPES[type])}`,
  );
  execute(
    connection,
    sql`create table ${sql.id(layout.table)} (${sql.join([
      sql`id integer primary key, key text not null, etag text not null, mtime integer not null`,
      ...columns,
    ])}) strict`,
  );
  execute(connection, sql`create table ${sql.id(layout.values)} (id integer primary key, value text not null) strict`);
  createIndex(connection, layout, { name: '', fields: [], unique: true });
  for (const [field, { array, unique }] of layout.fields) {
    if (array === true) {
      createElements(connection, layout, field);
    } else {
      createIndex(connection, layout, { name: field, fields: [field], unique: unique === true });
    }
  }
  const isScalar = (field: string | undefined) => field !== undefined && layout.spec(field).array !== true;
  const together = layout.declaration.together?.filter((fields) => fields.length > 1 && isScalar(fields[0])) ?? [];
  for (const [name, fields] of new Map(together.map((fields) => [fields.join('$'), fields]))) {
    createIndex(connection, layout, { name, fields, unique: false });
  }
}

export function dropTables(connection: Connection, layout: Layout): void {
  for (const table of [layout.table, layout.values, ...layout.arrays.map(([field]) => layout.elements(field))]) {
    execute(connection, sql`drop table ${sql.id(table)}`);
    connection.db.prepare('delete from sqlite_stat1 where tbl = ?').run(table);
  }
}

/**
 * Creates the planner's table of statistics if needed, for {@link createTables} to fill, and makes the planner read it.
 */
export function readStatistics({ db }: Connection): void {
  db.exec('analyze sqlite_schema');
}

function createIndex(
  connection: Connection,
  layout: Layout,
  { name, fields, unique }: { name: string; fields: readonly string[]; unique: boolean },
): void {
  const index = `${layout.table}$$by$${name}`;
  const columns = fields.map((field) => sql.id(layout.column(field)));
  // The key behind the fields puts ties in order; behind a unique field it would undo the uniqueness.
  const ordered = unique && fields.length > 0 ? columns : [...columns, sql.id('key')];
  execute(
    connection,
    sql`create ${sql.raw(unique ? 'unique ' : '')}index ${sql.id(index)} on ${sql.id(layout.table)} (${sql.join(ordered)})`,
  );
  const statistics = indexStatistics(layout.declaration, fields);
  addStatistics(connection, layout.table, index, ordered === columns ? statistics.replace(/ 1$/, '') : statistics);
}

function createElements(connection: Connection, layout: Layout, field: string): void {
  const table = layout.elements(field);
  const spec = layout.spec(field);
  const orders = layout.orders(field);
  const beside = orders.map(
    (scalar) => sql`, ${sql.id(layout.orderColumn(scalar))} ${sql.raw(COLUMN_TYPES[layout.spec(scalar).type])}`,
  );
  const key = orders.length > 0 ? sql`, object_key text not null` : sql``;
  execute(
    connection,
    sql`create table ${sql.id(table)} (value ${sql.raw(COLUMN_TYPES[spec.type])} not null, id integer not null${key}${sql.join(
      beside,
      sql``,
    )}, primary key (value, id)) strict, without rowid`,
  );
  for (const scalar of orders) {
    const index = `${table}$$by$${scalar}`;
    const columns = sql`value, ${sql.id(layout.orderColumn(scalar))}, object_key`;
    execute(connection, sql`create index ${sql.id(index)} on ${sql.id(table)} (${columns})`);
    addStatistics(connection, table, index, orderedElementStatistics(layout.declaration, field, scalar));
  }
  execute(connection, sql`create index ${sql.id(`${table}$$id`)} on ${sql.id(table)} (id)`);
  if (spec.unique === true) {
    execute(connection, sql`create unique index ${sql.id(`${table}$$unique`)} on ${sql.id(table)} (value)`);
  }
  // SQLite names the primary key of a table without row ids after the table.
  addStatistics(connection, table, table, elementStatistics(spec));
}

function addStatistics({ db }: Connection, table: string, index: string, statistics: string): void {
  db.prepare('insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)').run(table, index, statistics);
}

function execute({ db }: Connection, statement: ReturnType<typeof sql>): void {
  db.exec(sqliteDialect.compile(statement).sql);
}
