/** The note of a fence, and the names of the tables behind it. */
import { sql } from 'kysely';
import type { Moved } from '../moving/moved.ts';
import type { SqlDialect } from './dialect.ts';
import { once, type Program } from './program.ts';

export const MOVED = 'moved';
const PREFIX = 'moved$';

/** The dialect in which the tables behind the fence have the names of all others. */
export function behindFence(dialect: SqlDialect): SqlDialect {
  return { ...dialect, identifier: (name) => dialect.identifier(`${PREFIX}${name}`) };
}

export function* readMoved(dialect: SqlDialect): Program<Moved | undefined> {
  const [[known] = []] = yield [once(dialect, dialect.tableNamed(MOVED), 'rows')];
  if (known === undefined) return undefined;
  const [[row] = []] = yield [once(dialect, sql`select moved from ${dialect.table(MOVED)}`, 'rows')];
  return row && JSON.parse(String(row[0]));
}
