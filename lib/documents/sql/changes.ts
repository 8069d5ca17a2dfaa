/** Notes of a relational database about what changes: triggers write them, so they are part of each transaction. */
import { type RawBuilder, sql } from 'kysely';
import { type Change, type Changes, UnnotedError } from '../moving/changes.ts';
import { parameter, type SqlDialect } from './dialect.ts';
import { Layout } from './layout.ts';
import { behindFence, readMoved } from './moved-table.ts';
import { once, type Program, type ProgramRunner, Statement } from './program.ts';
import { readDeclarations } from './schema.ts';

/** The table of the notes: `id`, `bucket`, `key`. */
export const CHANGES = 'changes';

/** How a database is told to write a note for each change of a row. */
export interface Triggers {
  /** Sets them on the rows of a bucket. */
  set(table: string, bucket: string): readonly RawBuilder<unknown>[];
  /** Removes all of them, if there are any. */
  remove(dialect: SqlDialect): Program<void>;
  /** Selects the names of the tables that have them. */
  readonly tables: RawBuilder<unknown>;
}

export function sqlChanges(dialect: SqlDialect, triggers: Triggers, { read, write }: ProgramRunner): Changes {
  return {
    note: () => write(() => note(dialect, triggers)),
    end: () => write(() => endChanges(dialect, triggers)),
    read: (most) => read(() => readChanges(dialect, triggers, most)),
    noted: (bucket, keys) => read(() => noted(dialect, bucket, keys)),
    drop: (changes) => write(() => drop(dialect, changes)),
  };
}

function* readChanges(dialect: SqlDialect, triggers: Triggers, most: number): Program<Change[]> {
  yield* assertNoted(dialect, triggers);
  const select = sql`select id, bucket, key from ${dialect.table(CHANGES)} order by id limit ${most}`;
  const [rows = []] = yield [once(dialect, select, 'rows')];
  return (rows as [number, string, string][]).map(([id, bucket, key]) => ({ id, bucket, key }));
}

function* noted(dialect: SqlDialect, bucket: string, keys: readonly string[]): Program<Set<string>> {
  const isOneOf = dialect.oneOf(sql.id('key'), parameter, 'string');
  const select = sql`select key from ${dialect.table(CHANGES)} where bucket = ${parameter} and ${isOneOf}`;
  const statement = new Statement(dialect.compile(select).sql, 'rows');
  const [rows = []] = yield [{ statement, values: [bucket, dialect.encodeList(keys)] }];
  return new Set(rows.map(([key]) => String(key)));
}

function* drop(dialect: SqlDialect, changes: readonly Change[]): Program<void> {
  const isOneOf = dialect.oneOf(sql.id('id'), parameter, 'number');
  const remove = sql`delete from ${dialect.table(CHANGES)} where ${isOneOf}`;
  const statement = new Statement(dialect.compile(remove).sql, 'nothing');
  yield [{ statement, values: [dialect.encodeList(changes.map(({ id }) => id))] }];
}

function* note(dialect: SqlDialect, triggers: Triggers): Program<void> {
  yield* endChanges(dialect, triggers);
  const { rowId, text, table } = dialect.types;
  const columns = sql.raw(`id ${rowId}, bucket ${text} not null, key ${text} not null`);
  const changes = dialect.table(CHANGES);
  yield [
    once(dialect, sql`create table ${changes} (${columns})${sql.raw(table)}`),
    once(dialect, sql`create index ${sql.id(`${CHANGES}$$key`)} on ${changes} (bucket, key)`),
  ];
  for (const { bucket, table: rows } of yield* layoutsOf(dialect)) {
    yield triggers.set(rows, bucket).map((statement) => once(dialect, statement));
  }
}

/** What is left of the notes, and the triggers. */
export function* endChanges(dialect: SqlDialect, triggers: Triggers): Program<void> {
  yield* triggers.remove(dialect);
  yield [once(dialect, sql`drop table if exists ${dialect.table(CHANGES)}`)];
}

/** @throws UnnotedError unless every bucket has its trigger */
function* assertNoted(dialect: SqlDialect, triggers: Triggers): Program<void> {
  const moved = yield* readMoved(dialect);
  const layouts = yield* layoutsOf(moved?.state === 'moving' ? behindFence(dialect) : dialect);
  const [rows = []] = yield [once(dialect, triggers.tables, 'rows')];
  const noted = new Set(rows.map(([name]) => name));
  if (layouts.length === 0 || layouts.some(({ table }) => !noted.has(table))) throw new UnnotedError();
}

function* layoutsOf(dialect: SqlDialect): Program<Layout[]> {
  const declarations = yield* readDeclarations(dialect);
  return declarations.map((declaration) => new Layout(declaration, dialect.identifier));
}
