/** Finding out which unique field a write collides in. */
import { sql } from 'kysely';
import { UniqueAttributeError } from '../errors.ts';
import type { IndexValue } from '../index-value.ts';
import type { Scalar } from '../store.ts';
import { encode, parameter } from './dialect.ts';
import { isUniqueViolation } from './failure.ts';
import type { Tables } from './tables.ts';

/** The indexed values of an object that is being written. */
export interface IndexedRow {
  readonly key: string;
  /** By position in `layout.fields`. */
  readonly index: readonly IndexValue[];
}

/** The elements of an array, or the scalar itself, or nothing. */
export function scalars(value: IndexValue | undefined): readonly Scalar[] {
  if (value === null || value === undefined) {
    return [];
  }
  return typeof value === 'object' ? value : [value];
}

/** Runs a statement; if it breaks a uniqueness, finds out which. @throws UniqueAttributeError */
export function naming<T>(tables: Tables, row: IndexedRow, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const field = isUniqueViolation(error) ? collidingField(tables, row) : undefined;
    throw field === undefined ? error : new UniqueAttributeError(tables.layout.bucket, field, { cause: error });
  }
}

function collidingField(tables: Tables, row: IndexedRow): string | undefined {
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
