/**
 * An index of pieces of up to three letters for fields that are searched for parts of texts (`substrings` in a bucket's declaration).
 * Without it such a search looks at every row. Triggers keep it, so it is part of every transaction, whoever makes it. It
 * only narrows a search: the rows that it names are still looked at. What is there already is indexed bit by bit
 * (`trigram-building.ts`), and until all of it is, nobody searches by it.
 */
import type { Layout } from '../sql/layout.ts';
import type { Filter } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Narrowing } from './reading/protocol.ts';
import { beginIndex, indexOf, isBegun, isUnfinished, KEEPING, LETTERS, LONG, type Wanted } from './trigram-building.ts';

/** Pieces of a text to look for: each further one narrows little and is looked up all the same. */
const MOST_PIECES = 8;

export class Trigrams {
  readonly #connection: Connection;
  /** Tables that have the whole index, in that state of the schema. */
  #indexed: { readonly schemaVersion: unknown; readonly tables: ReadonlySet<string> } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those of the layouts that want the index and for which nobody has begun it. */
  missing(layouts: readonly Layout[]): Layout[] {
    return layouts.filter((layout) => fieldsOf(layout).length > 0 && !isBegun(this.#connection, layout.table));
  }

  /** Begins the indexes, in a transaction. Those of small tables are there at once. */
  begin(layouts: readonly Layout[]): void {
    for (const layout of this.missing(layouts)) beginIndex(this.#connection, wantedOf(layout));
  }

  /** Whether something is left to be indexed, or the index of a table that is gone to be dropped. */
  isUnfinished(): boolean {
    return isUnfinished(this.#connection);
  }

  /** How the index narrows a search; undefined if it does not. */
  narrowing(layout: Layout, filter: Filter | undefined): Narrowing | undefined {
    if (fieldsOf(layout).length === 0) return undefined;
    const text = textIn(filter, fieldsOf(layout));
    if (text === undefined || !this.#has(layout)) return undefined;
    const table = `"${indexOf(layout.table)}"`;
    return { sql: `select rowid from ${table} where ${table} match ? limit ?`, text };
  }

  #has({ table }: Layout): boolean {
    const schemaVersion = this.#connection.schemaVersion();
    const known = this.#indexed;
    if (known && known.schemaVersion === schemaVersion) return known.tables.has(table);
    const select = this.#connection.db.prepare<[], string>(
      `select tbl_name from sqlite_schema where type = 'trigger' and name = '${KEEPING}insert$' || tbl_name`,
    );
    const tables = new Set(select.pluck().all());
    this.#indexed = { schemaVersion, tables };
    return tables.has(table);
  }
}

function fieldsOf({ fields }: Layout): string[] {
  return fields.flatMap(([field, { substrings }]) => (substrings === true ? [field] : []));
}

function wantedOf(layout: Layout): Wanted {
  return { table: layout.table, columns: fieldsOf(layout).map((field) => layout.column(field)) };
}

/** What to look for, if whatever matches the filter has it: the longest of several texts, which the fewest have. */
function textIn(filter: Filter | undefined, fields: readonly string[]): string | undefined {
  const [longest] = partsIn(filter)
    .filter(({ field, value }) => fields.includes(field) && value !== '')
    .sort((one, other) => other.value.length - one.value.length);
  return longest && piecesOf(longest.field, longest.value);
}

function partsIn(filter: Filter | undefined): Extract<Filter, { readonly op: 'substring' }>[] {
  if (filter?.op === 'and') return filter.of.flatMap(partsIn);
  return filter?.op === 'substring' ? [filter] : [];
}

/** In the language of FTS5. */
function piecesOf(field: string, text: string): string {
  const letters = [...text];
  const whole = new Set(letters.slice(LETTERS - 1).map((_, at) => letters.slice(at, at + LETTERS).join('')));
  const every = Math.ceil(whole.size / MOST_PIECES);
  const some = [...whole].filter((_, at) => at % every === 0).map(wordOf);
  return `i_${field} : ((${some.length > 0 ? some.join(' AND ') : `${wordOf(text)} *`}) OR ${LONG})`;
}

function wordOf(piece: string): string {
  return `"${Buffer.from(piece).toString('hex')}"`;
}
