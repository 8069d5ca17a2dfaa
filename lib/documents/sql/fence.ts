/**
 * The fence of a relational database: all tables of the buckets get other names, and a table says why. A statement of
 * any process then fails, whether it was prepared before or not; nothing has to be asked before each statement.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { Fence, Moved } from '../moving/moved.ts';
import type { SqlDialect } from './dialect.ts';
import { Layout } from './layout.ts';
import { once, type Program, type Step } from './program.ts';
import { declarationsTable, readDeclarations } from './schema.ts';

const TABLE = 'moved';
const PREFIX = 'moved$';

/** The dialect in which the tables behind the fence have the names of all others. */
export function behindFence(dialect: SqlDialect): SqlDialect {
  return { ...dialect, identifier: (name) => dialect.identifier(`${PREFIX}${name}`) };
}

export function* readMoved(dialect: SqlDialect): Program<Moved | undefined> {
  const [[known] = []] = yield [once(dialect, dialect.tableNamed(TABLE), 'rows')];
  if (known === undefined) return undefined;
  const [[row] = []] = yield [once(dialect, sql`select moved from ${dialect.table(TABLE)}`, 'rows')];
  return row && JSON.parse(String(row[0]));
}

/** How the programs of a fence are run on a database; each is made anew for each attempt. */
export interface FencedDatabase extends Pick<Fence, 'now' | 'behind'> {
  read<T>(program: () => Program<T>): Promise<T>;
  /** In a transaction that keeps out others who do the same. */
  write<T>(program: () => Program<T>): Promise<T>;
}

export function sqlFence(dialect: SqlDialect, { now, behind, read, write }: FencedDatabase): Fence {
  return {
    now,
    behind,
    read: () => read(() => readMoved(dialect)),
    raise: (moved) => write(() => raise(dialect, moved)),
    change: (moved) => write(() => change(dialect, moved)),
    lift: (nonce) => write(() => lift(dialect, nonce)),
    clear: (epoch) => write(() => clear(dialect, epoch)),
    forget: (epoch) => write(() => forget(dialect, epoch)),
  };
}

function* raise(dialect: SqlDialect, moved: Moved): Program<boolean> {
  const earlier = yield* readMoved(dialect);
  // This very call may have raised it, and be made again because the answer was lost.
  if (earlier && isDeepStrictEqual(earlier, moved)) return true;
  if (earlier && earlier.epoch >= moved.epoch) return false;
  yield* dropBehind(dialect);
  yield* rename(dialect, behindFence(dialect));
  const { text, table } = dialect.types;
  const columns = sql.raw(`moved ${text} not null`);
  yield [
    once(dialect, sql`create table if not exists ${dialect.table(TABLE)} (${columns})${sql.raw(table)}`),
    ...note(dialect, moved),
  ];
  return true;
}

function* change(dialect: SqlDialect, moved: Moved): Program<boolean> {
  if (!(yield* isMoving(dialect, moved.nonce))) return false;
  yield note(dialect, moved);
  return true;
}

function* lift(dialect: SqlDialect, nonce: string): Program<boolean> {
  if (!(yield* isMoving(dialect, nonce))) return false;
  yield* rename(behindFence(dialect), dialect);
  yield [once(dialect, sql`drop table ${dialect.table(TABLE)}`)];
  return true;
}

function* clear(dialect: SqlDialect, epoch: number): Program<void> {
  const moved = yield* readMoved(dialect);
  if (moved?.state === 'done' && moved.epoch < epoch) yield* dropBehind(dialect);
}

function* forget(dialect: SqlDialect, epoch: number): Program<void> {
  const moved = yield* readMoved(dialect);
  if (!moved || moved.epoch > epoch) return;
  yield* dropBehind(dialect);
  yield [once(dialect, sql`drop table ${dialect.table(TABLE)}`)];
}

function* isMoving(dialect: SqlDialect, nonce: string): Program<boolean> {
  const moved = yield* readMoved(dialect);
  return moved?.nonce === nonce && moved.state === 'moving';
}

function note(dialect: SqlDialect, moved: Moved): Step[] {
  const json = JSON.stringify(moved);
  return [
    once(dialect, sql`delete from ${dialect.table(TABLE)}`),
    once(dialect, sql`insert into ${dialect.table(TABLE)} (moved) values (${json})`),
  ];
}

function* rename(from: SqlDialect, to: SqlDialect): Program<void> {
  const declarations = yield* readDeclarations(from);
  const names = namesOf(declarations, to);
  yield namesOf(declarations, from).map((table, at) =>
    once(from, sql`alter table ${from.table(table)} rename to ${sql.id(names[at] ?? '')}`),
  );
}

function* dropBehind(dialect: SqlDialect): Program<void> {
  const behind = behindFence(dialect);
  const tables = namesOf(yield* readDeclarations(behind), behind);
  yield tables.map((table) => once(dialect, sql`drop table ${dialect.table(table)}`));
}

/** All tables that there are, as this dialect calls them. */
function namesOf(declarations: readonly Declaration[], dialect: SqlDialect): string[] {
  if (declarations.length === 0) return [];
  const layouts = declarations.map((declaration) => new Layout(declaration, dialect.identifier));
  return [declarationsTable(dialect), ...layouts.flatMap(({ tables }) => tables)];
}
