import { UniqueAttributeError } from '../errors.ts';
import type { Program } from './program.ts';
import type { Tables } from './tables.ts';

/** Runs a program that writes. If it violates a unique index, the error names the field. @throws UniqueAttributeError */
export function* naming<T>(tables: Tables, program: Program<T>): Program<T> {
  try {
    return yield* program;
  } catch (error) {
    throw named(error, tables);
  }
}

function named(error: unknown, { layout, dialect }: Tables): unknown {
  const collision = dialect.collision(error);
  if (collision === undefined) return error;
  const { table, column } = collision;
  const broken = layout.fields.find(([field, { unique, array }]) => {
    if (unique !== true) return false;
    if (array === true) return table === layout.elements(field);
    return table === layout.table && (column === layout.column(field) || column === layout.index(field));
  });
  return broken === undefined ? error : new UniqueAttributeError(layout.bucket, broken[0], { cause: error });
}
