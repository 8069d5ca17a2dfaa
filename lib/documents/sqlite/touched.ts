/**
 * Notes of what writes touch: for each row that was written, its indexed values before and after. Triggers write them, so
 * they are part of every transaction, whoever makes it. Answers to lists that no write could have changed stay valid by
 * them (`pages.ts`). There is a bounded number of notes; who looks too late learns that.
 */
import type { Layout } from '../sql/layout.ts';
import type { Connection } from './connection.ts';

const TOUCHED = 'touched';
const PREFIX = `${TOUCHED}$`;
/** Notes to keep. */
const MOST_NOTES = 500;
/** Characters of the values of a row; of longer ones it is only noted that there were some. */
const LONGEST = 2000;
const ANY = '*';
const EVENTS = ['insert', 'update', 'delete'] as const;

/** By position in `layout.fields`: the value of a scalar, the number of elements of an array. `any`: unknown ones. */
export type RowValues = readonly (string | number | null)[] | 'any';

export interface Touch {
  readonly table: string;
  /** Absent if there was no row before the write, or there is none after it. */
  readonly before: RowValues | undefined;
  readonly after: RowValues | undefined;
}

type Note = [id: number, table: string, before: string | null, after: string | null];

export class Touched {
  readonly #connection: Connection;
  /** Tables whose writes are noted, in that state of the schema. */
  #noted: { readonly schemaVersion: unknown; readonly tables: ReadonlySet<string> } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether all writes to the table are noted, as of now. */
  isNoted(table: string, schemaVersion: unknown): boolean {
    const known = this.#noted;
    if (known && known.schemaVersion === schemaVersion) return known.tables.has(table);
    // After a table was renamed, its triggers note the name that it had.
    const select = this.#connection.db.prepare(
      `select tbl_name from sqlite_schema where type = 'trigger' and name = '${PREFIX}update$' || tbl_name`,
    );
    const tables = new Set(select.pluck().all() as string[]);
    this.#noted = { schemaVersion, tables };
    return tables.has(table);
  }

  /** Makes the notes begin, in a transaction. */
  note(layouts: readonly Layout[]): void {
    const { db } = this.#connection;
    db.exec(
      `create table if not exists "${TOUCHED}" (id integer primary key, tbl text not null, before text, after text) strict`,
    );
    for (const layout of layouts) db.exec(triggersOf(layout));
  }

  /** The number of the latest note; 0 for none. */
  latest(): number {
    if (!this.#hasTable()) return 0;
    return this.#connection.db.prepare(`select coalesce(max(id), 0) from "${TOUCHED}"`).pluck().get() as number;
  }

  /** What was noted since, and the latest number; undefined if that is not known any more. */
  since(number: number): { readonly latest: number; readonly touches: readonly Touch[] } | undefined {
    const select = this.#connection.db.prepare(
      `select id, tbl, before, after from "${TOUCHED}" where id >= ? order by id`,
    );
    const notes = select.raw().all(number) as Note[];
    const expected = number === 0 ? 1 : number;
    if (notes.length === 0) return number === 0 ? { latest: 0, touches: [] } : undefined;
    if (notes.at(0)?.[0] !== expected) return undefined;
    const fresh = number === 0 ? notes : notes.slice(1);
    const touches = fresh.map(([, table, before, after]) => ({
      table,
      before: valuesOf(before),
      after: valuesOf(after),
    }));
    return { latest: notes.at(-1)?.[0] ?? number, touches };
  }

  #hasTable(): boolean {
    const select = this.#connection.db.prepare(`select 1 from sqlite_schema where type = 'table' and name = ?`);
    return select.get(TOUCHED) !== undefined;
  }
}

function valuesOf(note: string | null): RowValues | undefined {
  if (note === null) return undefined;
  return note === ANY ? 'any' : JSON.parse(note);
}

/** The names of the triggers of a table. */
export function touchTriggers(table: string): string[] {
  return EVENTS.map((event) => nameOf(event, table));
}

function nameOf(event: (typeof EVENTS)[number], table: string): string {
  return `${PREFIX}${event}$${table}`;
}

function triggersOf({ table, fields }: Layout): string {
  return EVENTS.map((event) => {
    const before = event === 'insert' ? 'null' : rowOf('old', fields);
    const after = event === 'delete' ? 'null' : rowOf('new', fields);
    return `create trigger if not exists "${nameOf(event, table)}" after ${event} on "${table}" begin
        insert into "${TOUCHED}" (tbl, before, after) values ('${table.replaceAll("'", "''")}', ${before}, ${after});
        delete from "${TOUCHED}" where id <= last_insert_rowid() - ${MOST_NOTES};
      end;`;
  }).join('\n');
}

function rowOf(which: 'old' | 'new', fields: Layout['fields']): string {
  const row = `json_array(${fields.map(([field]) => `${which}."i_${field}"`).join()})`;
  return `case when length(${row}) > ${LONGEST} then '${ANY}' else ${row} end`;
}
