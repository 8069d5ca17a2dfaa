/** Writes of single objects into the tables of a bucket; each call is part of a transaction. */
import { sql } from 'kysely';
import type { IndexValue } from '../index-value.ts';
import { naming } from './collisions.ts';
import { encode, parameter } from './dialect.ts';
import { setElements } from './elements.ts';
import type { Tables } from './tables.ts';

type Encoded = string | number | null;

/** The row of an object as it is now. */
export interface CurrentRow {
  readonly id: number;
  readonly etag: string;
  /** By position in `layout.fields`. */
  readonly columns: readonly Encoded[];
}

export interface NewRow {
  readonly key: string;
  readonly etag: string;
  readonly mtime: number;
  readonly json: string;
  readonly index: readonly IndexValue[];
}

export function currentRow(tables: Tables, key: string): CurrentRow | undefined {
  const { layout } = tables;
  const columns = layout.fields.map(([field]) => sql`, ${sql.id(layout.column(field))}`);
  const statement = tables.statement(
    'currentRow',
    () => sql`select id, etag${sql.join(columns, sql``)} from ${sql.id(layout.table)} where key = ${parameter}`,
  );
  const row = statement.raw().get(key) as [number, string, ...Encoded[]] | undefined;
  if (row === undefined) {
    return undefined;
  }
  const [id, etag, ...values] = row;
  return { id, etag, columns: values };
}

/** @throws UniqueAttributeError */
export function insertRow(tables: Tables, row: NewRow): void {
  const { layout } = tables;
  const columns = columnValues(row.index);
  const insert = tables.statement(
    'insertRow',
    () =>
      sql`insert into ${sql.id(layout.table)} values (null, ${parameter}, ${parameter}, ${parameter}${sql.join(
        columns.map(() => sql`, ${parameter}`),
        sql``,
      )})`,
  );
  const { lastInsertRowid: id } = naming(tables, row, () => insert.run(row.key, row.etag, row.mtime, ...columns));
  tables
    .statement('insertValue', () => sql`insert into ${sql.id(layout.values)} values (${parameter}, ${parameter})`)
    .run(id, row.json);
  setElements(tables, Number(id), row, undefined);
}

/**
 * Puts the new state over the current one, touching only the indexes of which the value has changed.
 * @throws UniqueAttributeError
 */
export function updateRow(tables: Tables, current: CurrentRow, row: NewRow): void {
  const { layout } = tables;
  const columns = columnValues(row.index);
  const changed = layout.fields.map((_, at) => at).filter((at) => columns[at] !== current.columns[at]);
  const assignments = changed.map((at) => sql`, ${sql.id(layout.column(layout.fields[at]?.[0] ?? ''))} = ${parameter}`);
  const update = tables.statement(
    `updateRow ${changed.join()}`,
    () =>
      sql`update ${sql.id(layout.table)} set etag = ${parameter}, mtime = ${parameter}${sql.join(assignments, sql``)} where id = ${parameter}`,
  );
  const values = changed.map((at) => columns[at]);
  naming(tables, row, () => update.run(row.etag, row.mtime, ...values, current.id));
  tables
    .statement(
      'updateValue',
      () => sql`update ${sql.id(layout.values)} set value = ${parameter} where id = ${parameter}`,
    )
    .run(row.json, current.id);
  setElements(tables, current.id, row, changed);
}

export function deleteRow(tables: Tables, { id }: CurrentRow): void {
  const { layout } = tables;
  const elements = layout.arrays.map(([field]) => layout.elements(field));
  for (const table of [layout.table, layout.values, ...elements]) {
    tables.statement(`delete ${table}`, () => sql`delete from ${sql.id(table)} where id = ${parameter}`).run(id);
  }
}

function columnValues(index: readonly IndexValue[]): Encoded[] {
  return index.map((value) => {
    if (value === null) {
      return null;
    }
    return typeof value === 'object' ? value.length : encode(value);
  });
}
