/**
 * Brings the tables of a bucket up to a declaration that only adds fields which few objects have: the tables stay, and get
 * another name, as those of each version have. Only documents in which such a field may be are looked into.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { IndexValue } from '../index-value.ts';
import { type Encoded, parameter, type SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';
import { once, type Program, type Step } from './program.ts';
import { addedIndexes, renamedIndexes } from './schema.ts';
import type { Tables } from './tables.ts';

/** Ids of rows whose documents one statement looks through. */
const WINDOW = 10_000;

/** The values of some fields of a document, in their order. */
export type Reindex = (layout: Layout, fields: readonly string[], key: string, json: string) => IndexValue[];

/** The fields that the next declaration adds; undefined if it changes anything else, or more than few objects may have them. */
export function addedFields(old: Declaration, next: Declaration): string[] | undefined {
  const [before, after] = [Object.entries(old.index), Object.entries(next.index)];
  const [orders, ordersNext] = [old.together ?? [], next.together ?? []];
  const added = after.slice(before.length);
  const names = new Set(added.map(([field]) => field));
  const isMore =
    isDeepStrictEqual(before, after.slice(0, before.length)) &&
    isDeepStrictEqual(orders, ordersNext.slice(0, orders.length)) &&
    added.every(([, { sparse }]) => sparse === true) &&
    ordersNext.slice(orders.length).every(([first = '']) => names.has(first));
  return isMore && names.size > 0 ? [...names] : undefined;
}

export function* extendTables(old: Tables, next: Tables, fields: readonly string[], reindex: Reindex): Program<void> {
  const { dialect, layout } = next;
  const { keep, planner } = dialect;
  if (keep) yield [once(dialect, keep(old.layout.table))];
  const found = yield* valuesOf(old, next, fields, reindex);
  const names = old.layout.tables.map((table, at): [from: string, to: string] => [table, layout.tables[at] ?? '']);
  yield [
    ...(dialect.untie?.(old.layout.table) ?? []).map((one) => once(dialect, one)),
    ...names.flatMap(([from, to]) => renameTable(dialect, from, to)),
    ...renamedIndexes(dialect, old.layout, layout),
    ...fields.map((field) => addColumn(dialect, layout, field)),
  ];
  const update = next.statement(`fill ${fields.join()}`, () => {
    const assigned = fields.map((field) => sql`${sql.id(layout.column(field))} = ${parameter}`);
    return sql`update ${dialect.table(layout.table)} set ${sql.join(assigned)} where id = ${parameter}`;
  });
  for (const [id, values] of found) yield [{ statement: update, values: [...values, id] }];
  yield addedIndexes(dialect, layout, fields);
  if (planner) yield names.map(([from, to]) => once(dialect, planner.rename(from, to)));
}

/** By the id of its row: what each document has in the fields. */
function* valuesOf(
  { layout: { table, values } }: Tables,
  { dialect, layout }: Tables,
  fields: readonly string[],
  reindex: Reindex,
): Program<Map<number, (Encoded | null)[]>> {
  const found = new Map<number, (Encoded | null)[]>();
  const [[[last] = []] = []] = yield [once(dialect, sql`select max(id) from ${dialect.table(table)}`, 'rows')];
  const parts = fields.map((field) => dialect.encodePart(JSON.stringify(field)));
  const may = sql.join(
    parts.map((part) => dialect.substring(sql.id('value'), sql.val(part))),
    sql` or `,
  );
  for (let after = 0; after < Number(last ?? 0); after += WINDOW) {
    const select = sql`select id, key, value from ${dialect.table(table)} join ${dialect.table(values)} using (id)
      where id > ${after} and id <= ${after + WINDOW} and (${may})`;
    const [rows = []] = yield [once(dialect, select, 'rows')];
    for (const [id, key, json] of rows as [number, string, string][]) {
      const those = reindex(layout, fields, key, json);
      if (those.every((value) => value === null)) continue;
      const written = those.map((value) => encoded(dialect, value));
      found.set(id, written);
    }
  }
  return found;
}

function encoded({ encode }: SqlDialect, value: IndexValue): Encoded | null {
  return value === null || typeof value === 'object' ? null : encode(value);
}

function renameTable(dialect: SqlDialect, from: string, to: string): Step[] {
  return [once(dialect, sql`alter table ${dialect.table(from)} rename to ${sql.id(to)}`)];
}

function addColumn(dialect: SqlDialect, layout: Layout, field: string): Step {
  const type = sql.raw(dialect.types[layout.spec(field).type]);
  return once(
    dialect,
    sql`alter table ${dialect.table(layout.table)} add column ${sql.id(layout.column(field))} ${type}`,
  );
}
