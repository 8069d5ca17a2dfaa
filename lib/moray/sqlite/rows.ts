/** Writes of single objects into the tables of a bucket; each call is part of a transaction. */
import { sql } from 'kysely';
import { UniqueAttributeError } from '../errors.ts';
import type { IndexValue } from '../index-value.ts';
import type { Scalar } from '../store.ts';
import { encode, parameter } from './dialect.ts';
import { isUniqueViolation } from './failure.ts';
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
  setElements(tables, Number(id), row, false);
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
  setElements(tables, current.id, row, true);
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

/** The elements of an array, or the scalar itself, or nothing. */
function scalars(value: IndexValue | undefined): readonly Scalar[] {
  if (value === null || value === undefined) {
    return [];
  }
  return typeof value === 'object' ? value : [value];
}

/** Writes the elements of the array fields, leaving those that are there already. */
function setElements(tables: Tables, id: number, row: NewRow, existing: boolean): void {
  const { layout } = tables;
  layout.fields.forEach(([field, { array }], at) => {
    if (array !== true) {
      return;
    }
    const wanted = new Set(scalars(row.index[at]).map(encode));
    const table = sql.id(layout.elements(field));
    const select = () =>
      tables.statement(`elements ${field}`, () => sql`select value from ${table} where id = ${parameter}`);
    for (const element of existing ? (select().pluck().all(id) as (string | number)[]) : []) {
      if (!wanted.delete(element)) {
        tables
          .statement(
            `delete element ${field}`,
            () => sql`delete from ${table} where value = ${parameter} and id = ${parameter}`,
          )
          .run(element, id);
      }
    }
    if (wanted.size > 0) {
      const insert = tables.statement(
        `insert ${field}`,
        () => sql`insert into ${table} values (${parameter}, ${parameter})`,
      );
      for (const element of wanted) {
        naming(tables, row, () => insert.run(element, id));
      }
    }
  });
}

/** Runs a statement; if it breaks a uniqueness, finds out which. */
function naming<T>(tables: Tables, row: NewRow, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const field = isUniqueViolation(error) ? collidingField(tables, row) : undefined;
    throw field === undefined ? error : new UniqueAttributeError(tables.layout.bucket, field, { cause: error });
  }
}

function collidingField(tables: Tables, row: NewRow): string | undefined {
  const { layout } = tables;
  const own = sql`(select id from ${sql.id(layout.table)} where key = ${parameter})`;
  const at = layout.fields.findIndex(([field, spec], position) => {
    if (spec.unique !== true) {
      return false;
    }
    const [table, column] =
      spec.array === true ? [layout.elements(field), 'value'] : [layout.table, layout.column(field)];
    const taken = tables.statement(
      `taken ${field}`,
      () => sql`select 1 from ${sql.id(table)} where ${sql.id(column)} = ${parameter} and id is not ${own}`,
    );
    return scalars(row.index[position]).some((value) => taken.get(encode(value), row.key) !== undefined);
  });
  return layout.fields[at]?.[0];
}
