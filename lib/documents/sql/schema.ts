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

/** Creates what rows are written to: {@link createIndexes} has to follow, which takes less time once they are there. */
export function createTables(dialect: SqlDialect, layout: Layout): Step[] {
  const { rowId, integer, time, text, table: ending } = dialect.types;
  const columns = layout.fields.map(
    ([field, { type, array }]) =>
      sql`${sql.id(layout.column(field))} ${sql.raw(array === true ? integer : dialect.types[type])}`,
  );
  const own = `id ${rowId}, key ${text} not null, etag ${text} not null, mtime ${time} not null`;
  const value = `id ${integer} primary key, value ${text} not null`;
  return [
    once(
      dialect,
      sql`create table ${dialect.table(layout.table)} (${sql.join([sql.raw(own), ...columns])})${sql.raw(ending)}`,
    ),
    once(dialect, sql`create table ${dialect.table(layout.values)} (${sql.raw(value)})${sql.raw(ending)}`),
    ...layout.arrays.flatMap(([field]) => createElements(dialect, layout, field)),
    ...rowsIndex(dialect, layout, OF_KEYS),
  ];
}

/** Creates the indexes of the rows and of the elements of arrays, but for those by which rows are written. */
export function createIndexes(dialect: SqlDialect, layout: Layout): Step[] {
  return [
    ...layout.arrays.flatMap(([field]) => elementsIndexes(dialect, layout, field)),
    ...rowsIndexes(layout).flatMap((index) => (index === OF_KEYS ? [] : rowsIndex(dialect, layout, index))),
  ];
}

/** Creates the indexes that are on sparse fields, once their columns are there. */
export function addedIndexes(dialect: SqlDialect, layout: Layout, fields: readonly string[]): Step[] {
  const added = rowsIndexes(layout).filter(({ having }) => having !== undefined && fields.includes(having));
  return added.flatMap((index) => rowsIndex(dialect, layout, index));
}

/** Gives the indexes of tables that have other names now the names that go with those, if the database can. */
export function renamedIndexes(dialect: SqlDialect, from: Layout, to: Layout): Step[] {
  const { renameIndex } = dialect;
  if (!renameIndex) return [];
  const namesIn = (layout: Layout): string[] => [
    ...rowsIndexes(from).map(({ name }) => layout.index(name)),
    ...from.arrays.flatMap(([field]) => {
      const names = ['id', ...from.orders(field).map((scalar) => `by$${scalar}`)];
      return names.map((name) => layout.elementsIndex(field, name));
    }),
    ...(dialect.partIndexes?.(layout.table) ?? []),
  ];
  const names = namesIn(to);
  return namesIn(from).map((name, at) => once(dialect, renameIndex(name, names[at] ?? '')));
}

export function dropTables(dialect: SqlDialect, layout: Layout): Step[] {
  return layout.tables.flatMap((table) => [
    once(dialect, sql`drop table ${dialect.table(table)}`),
    ...(dialect.planner ? [once(dialect, dialect.planner.forget(table))] : []),
  ]);
}

/** An index on fields of the rows; of the key, without a name. */
interface RowsIndex {
  readonly name: string;
  readonly fields: readonly string[];
  readonly unique: boolean;
  /** Only of the rows that have this field. */
  readonly having?: string;
}

const OF_KEYS: RowsIndex = { name: '', fields: [], unique: true };

function rowsIndexes(layout: Layout): RowsIndex[] {
  const { together = [] } = layout.declaration;
  const scalars = layout.fields.filter(([, { array }]) => array !== true);
  const several = together.filter(([first, ...more]) => more.length > 0 && layout.spec(first ?? '').array !== true);
  const all = [...scalars.map(([field]) => [field]), ...several];
  const named = new Map(all.map((fields) => [fields.join('$'), fields]));
  return [
    OF_KEYS,
    ...[...named].map(([name, [first = '', ...more]]): RowsIndex => {
      const { sparse, unique } = layout.spec(first);
      const fields = sparse && more.length > 0 ? more : [first, ...more];
      const isUnique = unique === true && more.length === 0;
      return { name, fields, unique: isUnique, ...(sparse && { having: first }) };
    }),
  ];
}

function rowsIndex(dialect: SqlDialect, layout: Layout, { name, fields, unique, having }: RowsIndex): Step[] {
  const columns = fields.map((field) => dialect.indexed(sql.id(layout.column(field))));
  // The key after the fields orders ties; after a unique field it would undo the uniqueness.
  const hasKey = !unique || fields.length === 0;
  const of = { kind: 'rows', fields, hasKey, ...(having !== undefined && { having }) } as const;
  const plan: IndexPlan = { table: layout.table, name: layout.index(name), of };
  const on = sql.join(hasKey ? [...columns, dialect.indexed(sql.id('key'))] : columns);
  const only = having === undefined ? undefined : sql`${sql.id(layout.column(having))} is not null`;
  return createIndex(dialect, layout, plan, { on, unique, ...(only && { only }) });
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
  return [
    once(
      dialect,
      sql`create table ${dialect.table(table)} (${columns}, primary key (value, id))${sql.raw(types.keyedTable)}`,
    ),
    ...note(dialect, layout, { table, name: table, of: { kind: 'elements', field } }),
  ];
}

function elementsIndexes(dialect: SqlDialect, layout: Layout, field: string): Step[] {
  const table = layout.elements(field);
  const byId = { on: sql`id`, unique: false };
  return [
    ...layout.orders(field).flatMap((scalar) => {
      const columns = [sql.id('value'), sql.id(layout.orderColumn(scalar)), sql.id('object_key')];
      const on = sql.join(columns.map((column) => dialect.indexed(column)));
      const of = { kind: 'elements', field, order: scalar } as const;
      const plan = { table, name: layout.elementsIndex(field, `by$${scalar}`), of };
      return createIndex(dialect, layout, plan, { on, unique: false });
    }),
    once(dialect, indexSql(dialect, table, layout.elementsIndex(field, 'id'), byId)),
  ];
}

/** What an index is on. */
interface Indexed {
  readonly on: RawBuilder<unknown>;
  readonly unique: boolean;
  /** The condition of rows that are in it; absent: all are. */
  readonly only?: RawBuilder<unknown>;
}

function createIndex(dialect: SqlDialect, layout: Layout, plan: IndexPlan, indexed: Indexed): Step[] {
  return [once(dialect, indexSql(dialect, plan.table, plan.name, indexed)), ...note(dialect, layout, plan)];
}

function indexSql(
  dialect: SqlDialect,
  table: string,
  name: string,
  { on, unique, only }: Indexed,
): RawBuilder<unknown> {
  const where = only ? sql` where ${only}` : sql``;
  return sql`create ${sql.raw(unique ? 'unique ' : '')}index ${sql.id(name)} on ${dialect.table(table)} (${on})${where}`;
}

function note(dialect: SqlDialect, layout: Layout, plan: IndexPlan): Step[] {
  return dialect.planner ? [once(dialect, dialect.planner.note(plan, layout.declaration))] : [];
}
