/** Writes of single objects into the tables of a bucket; each is part of a transaction. */
import { sql } from 'kysely';
import type { IndexValue } from '../index-value.ts';
import { type Encoded, parameter, type SqlDialect } from './dialect.ts';
import { changedElements, newElements, presentElements } from './elements.ts';
import type { Program, Step } from './program.ts';
import type { Tables } from './tables.ts';

/** The row of an object as it is now. */
export interface CurrentRow {
  readonly id: number;
  readonly etag: string;
  /** By position in `layout.fields`. */
  readonly columns: readonly (Encoded | null)[];
}

export interface NewRow {
  readonly key: string;
  readonly etag: string;
  readonly mtime: number;
  readonly json: string;
  readonly index: readonly IndexValue[];
}

export function* currentRow(tables: Tables, key: string): Program<CurrentRow | undefined> {
  const { layout } = tables;
  const statement = tables.statement(
    'currentRow',
    () => {
      const columns = layout.fields.map(([field]) => sql`, ${sql.id(layout.column(field))}`);
      return sql`select id, etag${sql.join(columns, sql``)} from ${sql.id(layout.table)} where key = ${parameter}`;
    },
    'rows',
  );
  const [[row] = []] = yield [{ statement, values: [key] }];
  if (row === undefined) return undefined;
  const [id, etag, ...columns] = row as [number, string, ...(Encoded | null)[]];
  return { id, etag, columns };
}

export function* insertRow(tables: Tables, row: NewRow): Program<void> {
  const { layout, dialect } = tables;
  const columns = columnValues(row.index, dialect);
  const insert = tables.statement(
    'insertRow',
    () => {
      const names = ['key', 'etag', 'mtime', ...layout.fields.map(([field]) => layout.column(field))];
      return sql`insert into ${sql.id(layout.table)} (${sql.join(names.map((name) => sql.id(name)))})
        values (${sql.join(names.map(() => parameter))})${dialect.returningId}`;
    },
    'id',
  );
  const [[inserted] = []] = yield [{ statement: insert, values: [row.key, row.etag, row.mtime, ...columns] }];
  const id = inserted?.[0] as number;
  const insertValue = tables.statement(
    'insertValue',
    () => sql`insert into ${sql.id(layout.values)} values (${parameter}, ${parameter})`,
  );
  yield [{ statement: insertValue, values: [id, row.json] }, ...newElements(tables, id, row)];
}

/** Replaces the current state, touching only the indexes whose value has changed. */
export function* updateRow(tables: Tables, current: CurrentRow, row: NewRow): Program<void> {
  const { layout } = tables;
  const { id } = current;
  const columns = columnValues(row.index, tables.dialect);
  const changed = layout.fields.map((_, at) => at).filter((at) => columns[at] !== current.columns[at]);
  const present = yield presentElements(tables, id);
  const update = tables.statement(`updateRow ${changed.join()}`, () => {
    const assignments = changed.map(
      (at) => sql`, ${sql.id(layout.column(layout.fields[at]?.[0] ?? ''))} = ${parameter}`,
    );
    return sql`update ${sql.id(layout.table)} set etag = ${parameter}, mtime = ${parameter}${sql.join(assignments, sql``)} where id = ${parameter}`;
  });
  const updateValue = tables.statement(
    'updateValue',
    () => sql`update ${sql.id(layout.values)} set value = ${parameter} where id = ${parameter}`,
  );
  yield [
    { statement: update, values: [row.etag, row.mtime, ...changed.map((at) => columns[at]), id] },
    { statement: updateValue, values: [row.json, id] },
    ...changedElements(tables, id, row, present, changed),
  ];
}

export function* deleteRow(tables: Tables, { id }: CurrentRow): Program<void> {
  const { layout } = tables;
  const elements = layout.arrays.map(([field]) => layout.elements(field));
  yield [layout.table, layout.values, ...elements].map(
    (table): Step => ({
      statement: tables.statement(`delete ${table}`, () => sql`delete from ${sql.id(table)} where id = ${parameter}`),
      values: [id],
    }),
  );
}

function columnValues(index: readonly IndexValue[], { encode }: SqlDialect): (Encoded | null)[] {
  return index.map((value) => {
    if (value === null) return null;
    return typeof value === 'object' ? value.length : encode(value);
  });
}
