/**
 * How the index of pieces of texts comes to be, beside all other work: rows are indexed in the order of their ids, a
 * bounded number in each transaction, which also notes how far that is. Triggers keep what is indexed already; when all
 * is, others take their place, by whose names every process sees that it may use the index. Whoever dies in between
 * leaves what the next one goes on with, and several at the same time do no harm.
 */
import type { Connection } from './connection.ts';

const SUFFIX = '$$trigrams';
/** How far indexes are that are not whole yet: the table, and the last id that is indexed. */
const PROGRESS = 'trigrams';
/** A row for each place of a text at which a piece may begin. */
const PLACES = 'trigram_places';
/** Letters of a piece; those at the end of a text are shorter. */
export const LETTERS = 3;
/** Places of a text at which its pieces are indexed. */
const MOST_PLACES = 1024;
/** In the index for each text that is longer: it may have any piece. */
export const LONG = 'long';
/** Names of the triggers of an index that is whole, and of one that is not. */
export const KEEPING = 'trigrams$';
export const BUILDING = 'trigrams-building$';
const EVENTS = ['insert', 'update', 'delete'] as const;
/** A table of so many rows is indexed at once. */
const FEW_ROWS = 1000;

/** A table, and its columns that are searched for parts of texts. */
export interface Wanted {
  readonly table: string;
  readonly columns: readonly string[];
}

/** How far an index is. */
export interface Progress {
  readonly table: string;
  readonly upTo: number;
}

/** What a step has done. `absent`: the table is behind a fence, and may come back. */
export type Step =
  | { readonly state: 'indexed' | 'others'; readonly progress: Progress }
  | { readonly state: 'finished' | 'dropped' | 'absent' | 'nothing' };

/** The name of a table's index. */
export function indexOf(table: string): string {
  return `${table}${SUFFIX}`;
}

/** The names of the triggers of a table, whether its index is whole or not. */
export function trigramTriggers(table: string): string[] {
  return [KEEPING, BUILDING].flatMap((prefix) => EVENTS.map((event) => nameOf(prefix, event, table)));
}

function nameOf(prefix: string, event: (typeof EVENTS)[number], table: string): string {
  return `${prefix}${event}$${table}`;
}

/** Whether the table's writes are noted in an index. The triggers of a table that was renamed still use it. */
export function isBegun({ db }: Connection, table: string): boolean {
  const select = db.prepare(`select 1 from sqlite_schema where type = 'trigger' and name in (?, ?)`);
  return select.get(nameOf(KEEPING, 'insert', table), nameOf(BUILDING, 'insert', table)) !== undefined;
}

/** In a transaction: makes an index that is still empty, and fills it if the table is small. */
export function beginIndex(connection: Connection, { table, columns }: Wanted): void {
  const { db } = connection;
  const names = columns.map((column) => `"${column}"`).join();
  db.exec(`create table if not exists "${PROGRESS}" (tbl text primary key, upto integer not null) strict;
    create table if not exists "${PLACES}" (at integer primary key) strict;
    insert or ignore into "${PLACES}" select key + 1 from json_each('${JSON.stringify(Array(MOST_PLACES).fill(0))}');
    drop table if exists "${indexOf(table)}";
    create virtual table "${indexOf(table)}" using fts5 (${names}, content='', columnsize=0, detail=column, tokenize='ascii');
    ${triggersOf(BUILDING, { table, columns })}`);
  db.prepare(`insert or replace into "${PROGRESS}" (tbl, upto) values (?, 0)`).run(table);
  if (db.prepare(`select 1 from "${table}" limit 1 offset ${FEW_ROWS}`).get() !== undefined) return;
  indexRows(connection, { table, upTo: 0 }, FEW_ROWS);
  finish(connection, table);
}

export function isUnfinished(connection: Connection): boolean {
  return progressOf(connection).length > 0 || orphanIn(connection) !== undefined;
}

/**
 * Does a bounded part of what is left, in a transaction.
 * @param rows to index at most
 * @param seen how far it was after this process's step before: if somebody else has gone on since, it is left to them
 */
export function buildNext(connection: Connection, rows: number, seen?: Progress): Step {
  return connection.write(() => {
    const orphan = orphanIn(connection);
    if (orphan !== undefined) {
      connection.db.exec(`drop table "${orphan}"`);
      return { state: 'dropped' };
    }
    const all = progressOf(connection);
    const select = connection.db.prepare<[string], string>(
      `select tbl_name from sqlite_schema where type = 'trigger' and name = ?`,
    );
    for (const progress of all) {
      const { table } = progress;
      const triggered = select.pluck().get(nameOf(BUILDING, 'insert', table));
      // Its bucket has other tables now.
      if (triggered === undefined) forget(connection, table);
      // A fence gives tables other names.
      if (triggered !== table) continue;
      if (seen?.table === table && seen.upTo < progress.upTo) return { state: 'others', progress };
      const upTo = indexRows(connection, progress, rows);
      if (upTo !== undefined) return { state: 'indexed', progress: { table, upTo } };
      finish(connection, table);
      return { state: 'finished' };
    }
    return { state: all.length > 0 ? 'absent' : 'nothing' };
  });
}

/** The last id that is indexed now; undefined if there was no further row. */
export function indexRows({ db }: Pick<Connection, 'db'>, { table, upTo }: Progress, rows: number): number | undefined {
  const last = db
    .prepare<[number, number], number | null>(
      `select max(id) from (select id from "${table}" where id > ? order by id limit ?)`,
    )
    .pluck()
    .get(upTo, rows);
  if (typeof last !== 'number') return undefined;
  const columns = columnsOf(db, table).map((column) => `"${column}"`);
  db.prepare(
    `insert into "${indexOf(table)}" (rowid, ${columns.join()})
      select id, ${columns.map(piecesOf).join()} from "${table}" where id > ? and id <= ?`,
  ).run(upTo, last);
  db.prepare(`update "${PROGRESS}" set upto = ? where tbl = ?`).run(last, table);
  return last;
}

/**
 * The pieces of a text in SQL, as words of the index: in hexadecimal digits, so that neither case nor marks are lost, and
 * so that a text of one letter or two is how words begin.
 */
function piecesOf(text: string): string {
  return `(select group_concat(hex(substr(${text}, at, ${LETTERS})), ' ')
    || case when length(${text}) > ${MOST_PLACES} then ' ${LONG}' else '' end from "${PLACES}" where at <= length(${text}))`;
}

function finish(connection: Connection, table: string): void {
  const { db } = connection;
  const columns = columnsOf(db, table);
  for (const event of EVENTS) db.exec(`drop trigger "${nameOf(BUILDING, event, table)}"`);
  db.exec(triggersOf(KEEPING, { table, columns }));
  forget(connection, table);
}

function forget({ db }: Connection, table: string): void {
  db.prepare(`delete from "${PROGRESS}" where tbl = ?`).run(table);
}

function columnsOf(db: Connection['db'], table: string): string[] {
  const columns = db.pragma(`table_info("${indexOf(table)}")`) as { readonly name: string }[];
  return columns.map(({ name }) => name);
}

function progressOf({ db }: Connection): Progress[] {
  const isThere = db.prepare(`select 1 from sqlite_schema where type = 'table' and name = ?`).get(PROGRESS);
  if (isThere === undefined) return [];
  return db.prepare<[], Progress>(`select tbl as "table", upto as upTo from "${PROGRESS}" order by tbl`).all();
}

/** An index whose table is gone. */
function orphanIn({ db }: Connection): string | undefined {
  const select = db.prepare<[], string>(
    `select name from sqlite_schema as it where type = 'table' and sql like 'create virtual%' and name like '%${SUFFIX}'
      and not exists (select 1 from sqlite_schema where type = 'trigger'
        and name || '${SUFFIX}' in ('${KEEPING}insert$' || it.name, '${BUILDING}insert$' || it.name))`,
  );
  return select.pluck().get();
}

function triggersOf(prefix: typeof KEEPING | typeof BUILDING, { table, columns: names }: Wanted): string {
  const index = `"${indexOf(table)}"`;
  const columns = names.map((name) => `"${name}"`);
  const all = columns.join();
  const of = (row: 'old' | 'new'): string =>
    [`${row}.id`, ...columns.map((column) => piecesOf(`${row}.${column}`))].join();
  const insert = `insert into ${index} (rowid, ${all}) values (${of('new')});`;
  // Nothing of the texts is in the index but its pieces, so it has to be told what they were.
  const remove = `insert into ${index} (${index}, rowid, ${all}) values ('delete', ${of('old')});`;
  const isOther = columns.map((column) => `old.${column} is not new.${column}`).join(' or ');
  const upTo = `(select upto from "${PROGRESS}" where tbl = '${table.replaceAll("'", "''")}')`;
  const when = (row: 'old' | 'new', ...others: string[]): string => {
    const conditions = [...others, ...(prefix === BUILDING ? [`${row}.id <= ${upTo}`] : [])];
    return conditions.length > 0 ? ` when ${conditions.join(' and ')}` : '';
  };
  const on = (event: (typeof EVENTS)[number], detail: string, body: string): string =>
    `create trigger "${nameOf(prefix, event, table)}" after ${event}${detail} begin ${body} end;`;
  return `${on('insert', ` on ${JSON.stringify(table)}${when('new')}`, insert)}
    ${on('update', ` of ${all} on ${JSON.stringify(table)}${when('old', `(${isOther})`)}`, `${remove} ${insert}`)}
    ${on('delete', ` on ${JSON.stringify(table)}${when('old')}`, remove)}`;
}
