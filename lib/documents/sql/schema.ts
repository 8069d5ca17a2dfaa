/** The tables of a bucket, and the table `buckets`, which has the current version of each bucket. */
import { type RawBuilder, sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { IndexPlan, SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';
import { once, type Program, type Step } from './program.ts';

/** The table of declarations, as this dialect calls it. */
export function declarationsTable(dialect: SqlDialect): string {
  return dialect.identifier('buckets');
}

/** The declarations in force, which may be newer than those of this process. */
export function* readDeclarations(dialect: SqlDialect): Program<Declaration[]> {
  const name = declarationsTable(dialect);
  const [[known] = []] = yield [once(dialect, dialect.tableNamed(name), 'rows')];
  if (known === undefined) return [];
  const [rows = []] = yield [once(dialect, sql`select declaration from ${dialect.table(name)}`, 'rows')];
  return rows.map(([json]) => JSON.parse(String(json)));
}

/** Makes a declaration the one in force. */
export function writeDeclaration(dialect: SqlDialect, { name, version, index, together }: Declaration): Step[] {
  const { text, table } = dialect.types;
  const columns = sql`name ${sql.raw(text)} primary key, declaration ${sql.raw(text)} not null`;
  const declarations = dialect.table(declarationsTable(dialect));
  const json = JSON.stringify({ name, version, index, together });
  return [
    once(dialect, sql`create table if not exists ${declarations} (${columns})${sql.raw(table)}`),
    once(
      dialect,
      sql`insert into ${declarations} (name, declaration) values (${name}, ${json})
        on conflict (name) do update set declaration = excluded.declaration`,
    ),
  ];
}

export function createTables(dialect: SqlDialect, layout: Layout): Step[] {
  const { rowId, integer, time, text, table: ending } = dialect.types;
  const columns = layout.fields.map(
    ([field, { type, array }]) =>
      sql`${sql.id(layout.column(field))} ${sql.raw(array === true ? integer : dialect.types[type])}`,
  );
  const own = `id ${rowId}, key ${text} not null, etag ${text} not null, mtime ${time} not null`;
  const value = `id ${integer} primary key, value ${text} not null`;
  const isScalar = (field: string | undefined) => field !== undefined && layout.spec(field).array !== true;
  const together = layout.declaration.together?.filter((fields) => fields.length > 1 && isScalar(fields[0])) ?? [];
  return [
    once(
      dialect,
      sql`create table ${dialect.table(layout.table)} (${sql.join([sql.raw(own), ...columns])})${sql.raw(ending)}`,
    ),
    once(dialect, sql`create table ${dialect.table(layout.values)} (${sql.raw(value)})${sql.raw(ending)}`),
    ...rowsIndex(dialect, layout, { name: '', fields: [], unique: true }),
    ...layout.fields.flatMap(([field, { array, unique }]) =>
      array === true
        ? createElements(dialect, layout, field)
        : rowsIndex(dialect, layout, { name: field, fields: [field], unique: unique === true }),
    ),
    ...[...new Map(together.map((fields) => [fields.join('$'), fields]))].flatMap(([name, fields]) =>
      rowsIndex(dialect, layout, { name, fields, unique: false }),
    ),
  ];
}

export function dropTables(dialect: SqlDialect, layout: Layout): Step[] {
  return layout.tables.flatMap((table) => [
    once(dialect, sql`drop table ${dialect.table(table)}`),
    ...(dialect.planner ? [once(dialect, dialect.planner.forget(table))] : []),
  ]);
}

function rowsIndex(
  dialect: SqlDialect,
  layout: Layout,
  { name, fields, unique }: { name: string; fields: readonly string[]; unique: boolean },
): Step[] {
  const columns = fields.map((field) => dialect.indexed(sql.id(layout.column(field))));
  // The key after the fields orders ties; after a unique field it would undo the uniqueness.
  const hasKey = !unique || fields.length === 0;
  const plan: IndexPlan = { table: layout.table, name: layout.index(name), of: { kind: 'rows', fields, hasKey } };
  return createIndex(
    dialect,
    layout,
    plan,
    sql.join(hasKey ? [...columns, dialect.indexed(sql.id('key'))] : columns),
    unique,
  );
}

function createElements(dialect: SqlDialect, layout: Layout, field: string): Step[] {
  const { types } = dialect;
  const table = layout.elements(field);
  const spec = layout.spec(field);
  const orders = layout.orders(field);
  const beside = orders.map(
    (scalar) => sql`, ${sql.id(layout.orderColumn(scalar))} ${sql.raw(types[layout.spec(scalar).type])}`,
  );
  const key = orders.length > 0 ? `, object_key ${types.text} not null` : '';
  const columns = sql`${sql.raw(`value ${types[spec.type]} not null, id ${types.integer} not null${key}`)}${sql.join(beside, sql``)}`;
  const index = (name: string, on: RawBuilder<unknown>): Step =>
    once(dialect, indexSql(dialect, table, layout.elementsIndex(field, name), on, false));
  return [
    once(
      dialect,
      sql`create table ${dialect.table(table)} (${columns}, primary key (value, id))${sql.raw(types.keyedTable)}`,
    ),
    ...orders.flatMap((scalar) => {
      const columns = [sql.id('value'), sql.id(layout.orderColumn(scalar)), sql.id('object_key')];
      const on = sql.join(columns.map((column) => dialect.indexed(column)));
      const of = { kind: 'elements', field, order: scalar } as const;
      return createIndex(dialect, layout, { table, name: layout.elementsIndex(field, `by$${scalar}`), of }, on, false);
    }),
    index('id', sql`id`),
    ...note(dialect, layout, { table, name: table, of: { kind: 'elements', field } }),
  ];
}

function createIndex(
  dialect: SqlDialect,
  layout: Layout,
  plan: IndexPlan,
  on: RawBuilder<unknown>,
  unique: boolean,
): Step[] {
  return [once(dialect, indexSql(dialect, plan.table, plan.name, on, unique)), ...note(dialect, layout, plan)];
}

function indexSql(
  dialect: SqlDialect,
  table: string,
  name: string,
  on: RawBuilder<unknown>,
  unique: boolean,
): RawBuilder<unknown> {
  return sql`create ${sql.raw(unique ? 'unique ' : '')}index ${sql.id(name)} on ${dialect.table(table)} (${on})`;
}

function note(dialect: SqlDialect, layout: Layout, plan: IndexPlan): Step[] {
  return dialect.planner ? [once(dialect, dialect.planner.note(plan, layout.declaration))] : [];
}
