/** The elements of array fields, which lie in tables of their own. */
import { sql } from 'kysely';
import { type IndexedRow, naming, scalars } from './collisions.ts';
import { encode, parameter } from './dialect.ts';
import type { Tables } from './tables.ts';

/** The value of a scalar that lies beside the elements of an array. */
interface Beside {
  readonly scalar: string;
  /** In `layout.fields`. */
  readonly position: number;
  readonly value: string | number | null;
}

/**
 * Writes the elements of the array fields, leaving those that are there already.
 * @param changed positions of the fields that have changed; undefined when the object is new
 */
export function setElements(tables: Tables, id: number, row: IndexedRow, changed: readonly number[] | undefined): void {
  const { layout } = tables;
  layout.fields.forEach(([field, { array }], at) => {
    if (array !== true) {
      return;
    }
    const wanted = new Set(scalars(row.index[at]).map(encode));
    const beside = besideElements(tables, field, row);
    if (changed !== undefined) {
      removeOthers(tables, field, id, wanted);
      const moved = beside.filter(({ position }) => changed.includes(position));
      reorder(tables, field, id, moved);
    }
    insertElements(tables, field, id, row, wanted, beside);
  });
}

function besideElements({ layout }: Tables, field: string, row: IndexedRow): Beside[] {
  return layout.orders(field).map((scalar) => {
    const position = layout.fields.findIndex(([name]) => name === scalar);
    const [value] = scalars(row.index[position]);
    return { scalar, position, value: value === undefined ? null : encode(value) };
  });
}

/** Removes the elements that are not wanted, and takes out of `wanted` those that are there. */
function removeOthers(tables: Tables, field: string, id: number, wanted: Set<string | number>): void {
  const table = sql.id(tables.layout.elements(field));
  const present = tables
    .statement(`elements ${field}`, () => sql`select value from ${table} where id = ${parameter}`)
    .pluck()
    .all(id) as (string | number)[];
  for (const element of present) {
    if (!wanted.delete(element)) {
      tables
        .statement(
          `delete element ${field}`,
          () => sql`delete from ${table} where value = ${parameter} and id = ${parameter}`,
        )
        .run(element, id);
    }
  }
}

function reorder(tables: Tables, field: string, id: number, moved: readonly Beside[]): void {
  const { layout } = tables;
  const table = sql.id(layout.elements(field));
  for (const { scalar, value } of moved) {
    tables
      .statement(
        `order ${field} ${scalar}`,
        () => sql`update ${table} set ${sql.id(layout.orderColumn(scalar))} = ${parameter} where id = ${parameter}`,
      )
      .run(value, id);
  }
}

function insertElements(
  tables: Tables,
  field: string,
  id: number,
  row: IndexedRow,
  elements: ReadonlySet<string | number>,
  beside: readonly Beside[],
): void {
  const columns = beside.length === 0 ? [] : [row.key, ...beside.map(({ value }) => value)];
  const insert = tables.statement(`insert ${field}`, () => {
    const values = [parameter, parameter, ...columns.map(() => parameter)];
    return sql`insert into ${sql.id(tables.layout.elements(field))} values (${sql.join(values)})`;
  });
  for (const element of elements) {
    naming(tables, row, () => insert.run(element, id, ...columns));
  }
}
