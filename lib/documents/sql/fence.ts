/**
 * The fence of a relational database: all tables of the buckets get other names, and a table says why. A statement of
 * any process then fails, whether it was prepared before or not; nothing has to be asked before each statement.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { Fence, Moved, Raised } from '../moving/moved.ts';
import { endChanges, sqlChanges, type Triggers } from './changes.ts';
import type { SqlDialect } from './dialect.ts';
import { Layout } from './layout.ts';
import { behindFence, MOVED, readMoved } from './moved-table.ts';
import { once, type Program, type ProgramRunner, type Step } from './program.ts';
import { declarationsTable, readDeclarations } from './schema.ts';

export interface FencedDatabase extends Pick<Fence, 'now' | 'behind'>, ProgramRunner {
  readonly triggers: Triggers;
}

export function sqlFence(dialect: SqlDialect, database: FencedDatabase): Fence {
  const { now, behind, read, write, triggers } = database;
  return {
    now,
    behind,
    changes: sqlChanges(dialect, triggers, database),
    read: () => read(() => readMoved(dialect)),
    raise: (moved) => write(() => raise(dialect, moved)),
    change: (moved) => write(() => change(dialect, moved)),
    lift: (moved) => write(() => lift(dialect, moved)),
    clear: (epoch) => write(() => clear(dialect, triggers, epoch)),
    forget: (epoch) => write(() => forget(dialect, triggers, epoch)),
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
    once(dialect, sql`create table if not exists ${dialect.table(MOVED)} (${columns})${sql.raw(table)}`),
    ...note(dialect, moved),
  ];
  return true;
}

function* change(dialect: SqlDialect, moved: Moved): Program<boolean> {
  if (!(yield* isMoving(dialect, moved))) return false;
  yield note(dialect, moved);
  return true;
}

function* lift(dialect: SqlDialect, raised: Raised): Program<boolean> {
  if (!(yield* isMoving(dialect, raised))) return false;
  yield* rename(behindFence(dialect), dialect);
  yield [once(dialect, sql`drop table ${dialect.table(MOVED)}`)];
  return true;
}

function* clear(dialect: SqlDialect, triggers: Triggers, epoch: number): Program<void> {
  const moved = yield* readMoved(dialect);
  if (moved?.state !== 'done' || moved.epoch >= epoch) return;
  yield* endChanges(dialect, triggers);
  yield* dropBehind(dialect);
}

function* forget(dialect: SqlDialect, triggers: Triggers, epoch: number): Program<void> {
  const moved = yield* readMoved(dialect);
  if (!moved || moved.epoch > epoch) return;
  yield* endChanges(dialect, triggers);
  yield* dropBehind(dialect);
  yield [once(dialect, sql`drop table ${dialect.table(MOVED)}`)];
}

function* isMoving(dialect: SqlDialect, { nonce, worker }: Raised): Program<boolean> {
  const moved = yield* readMoved(dialect);
  return moved?.state === 'moving' && moved.nonce === nonce && moved.worker === worker;
}

function note(dialect: SqlDialect, moved: Moved): Step[] {
  const json = JSON.stringify(moved);
  return [
    once(dialect, sql`delete from ${dialect.table(MOVED)}`),
    once(dialect, sql`insert into ${dialect.table(MOVED)} (moved) values (${json})`),
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
