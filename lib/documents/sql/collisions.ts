import { UniqueAttributeError } from '../errors.ts';
import type { Program, Row, Step } from './program.ts';
import type { Tables } from './tables.ts';

/** Yields steps that write. If they violate a unique index, the error names the field. @throws UniqueAttributeError */
export function* naming(tables: Iterable<Tables>, steps: readonly Step[]): Program<readonly (readonly Row[])[]> {
  try {
    return yield steps;
  } catch (error) {
    for (const one of tables) {
      const named = nameIn(one, error);
      if (named !== undefined) throw named;
    }
    throw error;
  }
}

function nameIn({ layout, dialect }: Tables, error: unknown): UniqueAttributeError | undefined {
  const collision = dialect.collision(error);
  if (collision?.table !== layout.table) return undefined;
  const { column } = collision;
  const broken = layout.fields.find(
    ([field, { unique }]) => unique === true && (column === layout.column(field) || column === layout.index(field)),
  );
  return broken && new UniqueAttributeError(layout.bucket, broken[0], { cause: error });
}
