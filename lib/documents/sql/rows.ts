/** Writes of single objects into the tables of a bucket; each is part of a transaction. */
import { sql } from 'kysely';
import type { IndexValue } from '../index-value.ts';
import { type Encoded, parameter, type SqlDialect } from './dialect.ts';
import { changedElements, newElements, presentElements } from './elements.ts';
import type { Row, Step } from './program.ts';
import type { Tables } from './tables.ts';

/** An object as it is now. */
export interface CurrentRow {
  readonly id: number;
  readonly etag: string;
  /** By position in `layout.fields`. */
  readonly columns: readonly (Encoded | null)[];
  /** The elements of its array fields, by position in `layout.arrays`. */
  readonly elements: readonly (readonly Row[])[];
}

export interface NewRow {
  readonly key: string;
  readonly etag: string;
  readonly mtime: number;
  readonly json: string;
  readonly index: readonly IndexValue[];
}

/** Find an object that is going to be written; {@link currentRow} makes sense of the answers. */
export function selectCurrent(tables: Tables, key: string): Step[] {
  const { layout, dialect } = tables;
  const select = () => {
    const columns = layout.fields.map(([field]) => sql`, ${sql.id(layout.column(field))}`);
    return sql`select id, etag${sql.join(columns, sql``)} from ${dialect.table(layout.table)}
      where key = ${parameter}${dialect.forUpdate}`;
  };
  return [
    { statement: tables.statement('currentRow', select, 'rows'), values: [key] },
    ...presentElements(tables, key),
  ];
}

/** Undefined if there is no such object. */
export function currentRow([rows, ...elements]: readonly (readonly Row[])[]): CurrentRow | undefined {
  const row = rows?.[0];
  if (row === undefined) return undefined;
  const [id, etag, ...columns] = row as [number, string, ...(Encoded | null)[]];
  return { id, etag, columns, elements };
}

export function insertRow(tables: Tables, row: NewRow): Step[] {
  const { layout, dialect } = tables;
  const insert = tables.statement('insertRow', () => {
    const names = ['key', 'etag', 'mtime', ...layout.fields.map(([field]) => layout.column(field))];
    return sql`insert into ${dialect.table(layout.table)} (${sql.join(names.map((name) => sql.id(name)))})
      values (${sql.join(names.map(() => parameter))})`;
  });
  const insertValue = tables.statement(
    'insertValue',
    () => sql`insert into ${dialect.table(layout.values)} (id, value)
      values ((select id from ${dialect.table(layout.table)} where key = ${parameter}), ${parameter})`,
  );
  return [
    { statement: insert, values: [row.key, row.etag, row.mtime, ...columnValues(row.index, dialect)] },
    { statement: insertValue, values: [row.key, row.json] },
    ...newElements(tables, row),
  ];
}

/** Replaces the current state, touching only the indexes whose value has changed. */
export function updateRow(tables: Tables, current: CurrentRow, row: NewRow): Step[] {
  const { layout, dialect } = tables;
  const { id } = current;
  const columns = columnValues(row.index, dialect);
  const changed = layout.fields.map((_, at) => at).filter((at) => columns[at] !== current.columns[at]);
  const update = tables.statement(`updateRow ${changed.join()}`, () => {
    const assignments = changed.map(
      (at) => sql`, ${sql.id(layout.column(layout.fields[at]?.[0] ?? ''))} = ${parameter}`,
    );
    return sql`update ${dialect.table(layout.table)} set etag = ${parameter}, mtime = ${parameter}${sql.join(assignments, sql``)} where id = ${parameter}`;
  });
  const updateValue = tables.statement(
    'updateValue',
    () => sql`update ${dialect.table(layout.values)} set value = ${parameter} where id = ${parameter}`,
  );
  return [
    { statement: update, values: [row.etag, row.mtime, ...changed.map((at) => columns[at]), id] },
    { statement: updateValue, values: [row.json, id] },
    ...changedElements(tables, current, row, changed),
  ];
}

export function deleteRow(tables: Tables, { id }: CurrentRow): Step[] {
  const { layout, dialect } = tables;
  return layout.tables.map((table) => ({
    statement: tables.statement(
      `delete ${table}`,
      () => sql`delete from ${dialect.table(table)} where id = ${parameter}`,
    ),
    values: [id],
  }));
}

function columnValues(index: readonly IndexValue[], { encode }: SqlDialect): (Encoded | null)[] {
  return index.map((value) => {
    if (value === null) return null;
    return typeof value === 'object' ? value.length : encode(value);
  });
}
