/** The elements of array fields, which have tables of their own. */
import { sql } from 'kysely';
import type { IndexValue } from '../index-value.ts';
import type { Scalar } from '../store.ts';
import { type Encoded, parameter } from './dialect.ts';
import type { Row, Step } from './program.ts';
import type { Tables } from './tables.ts';

/** The part of a row that goes into indexes. */
export interface IndexedRow {
  readonly key: string;
  /** By position in `layout.fields`. */
  readonly index: readonly IndexValue[];
}

/** Selects the current elements of an object's array fields, in the order of `layout.arrays`. */
export function presentElements(tables: Tables, key: string): Step[] {
  const { layout, dialect } = tables;
  return layout.arrays.map(([field]) => {
    const select = () => sql`select value from ${dialect.table(layout.elements(field))}
      where id = (select id from ${dialect.table(layout.table)} where key = ${parameter})`;
    return { statement: tables.statement(`elements ${field}`, select, 'rows'), values: [key] };
  });
}

/** Writes the elements of a new object, whose row is there already. */
export function newElements(tables: Tables, row: IndexedRow): Step[] {
  return arraysOf(tables, row).flatMap(({ field, wanted }) => insertElements(tables, field, row, wanted));
}

/** What there is of an object before it changes. */
interface Present {
  readonly id: number;
  /** The rows of {@link presentElements}. */
  readonly elements: readonly (readonly Row[])[];
}

/**
 * Writes the elements of an existing object, without touching those that stay.
 * @param changed positions of the fields that have changed
 */
export function changedElements(tables: Tables, present: Present, row: IndexedRow, changed: readonly number[]): Step[] {
  const { id } = present;
  return arraysOf(tables, row).flatMap(({ field, wanted }, at) => {
    const gone = (present.elements[at] ?? [])
      .map(([element]) => element as Encoded)
      .filter((element) => !wanted.delete(element));
    const moved = besideElements(tables, field, row).filter(({ position }) => changed.includes(position));
    return [
      ...gone.map((element) => removeElement(tables, field, id, element)),
      ...moved.map(({ scalar, value }) => reorder(tables, field, id, scalar, value)),
      ...insertElements(tables, field, row, wanted),
    ];
  });
}

/** The array fields with their new elements. */
function arraysOf({ layout, dialect }: Tables, row: IndexedRow): { field: string; wanted: Set<Encoded> }[] {
  return layout.fields.flatMap(([field, { array }], at) =>
    array === true ? [{ field, wanted: new Set(scalars(row.index[at]).map(dialect.encode)) }] : [],
  );
}

/** The elements of an array, or the scalar itself, or nothing. */
function scalars(value: IndexValue | undefined): readonly Scalar[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'object' ? value : [value];
}

/** A scalar that is stored beside the elements of an array. */
interface Beside {
  readonly scalar: string;
  /** Position in `layout.fields`. */
  readonly position: number;
  readonly value: Encoded | null;
}

function besideElements({ layout, dialect }: Tables, field: string, row: IndexedRow): Beside[] {
  return layout.orders(field).map((scalar) => {
    const position = layout.fields.findIndex(([name]) => name === scalar);
    const [value] = scalars(row.index[position]);
    return { scalar, position, value: value === undefined ? null : dialect.encode(value) };
  });
}

function removeElement(tables: Tables, field: string, id: number, element: Encoded): Step {
  const statement = tables.statement(
    `delete element ${field}`,
    () =>
      sql`delete from ${tables.dialect.table(tables.layout.elements(field))} where value = ${parameter} and id = ${parameter}`,
  );
  return { statement, values: [element, id] };
}

function reorder(tables: Tables, field: string, id: number, scalar: string, value: Encoded | null): Step {
  const { layout, dialect } = tables;
  const statement = tables.statement(`order ${field} ${scalar}`, () => {
    const column = sql.id(layout.orderColumn(scalar));
    return sql`update ${dialect.table(layout.elements(field))} set ${column} = ${parameter} where id = ${parameter}`;
  });
  return { statement, values: [value, id] };
}

function insertElements(tables: Tables, field: string, row: IndexedRow, elements: ReadonlySet<Encoded>): Step[] {
  if (elements.size === 0) return [];
  const { layout, dialect } = tables;
  const beside = besideElements(tables, field, row);
  const columns = beside.length === 0 ? [] : [row.key, ...beside.map(({ value }) => value)];
  const statement = tables.statement(`insert ${field}`, () => {
    const id = sql`(select id from ${dialect.table(layout.table)} where key = ${parameter})`;
    const values = [parameter, id, ...columns.map(() => parameter)];
    return sql`insert into ${dialect.table(layout.elements(field))} values (${sql.join(values)})`;
  });
  return [...elements].map((element) => ({ statement, values: [element, row.key, ...columns] }));
}
