/**
 * An index of three-letter pieces for fields that are searched for parts of texts (`substrings` in a bucket's declaration).
 * Without it such a search looks at every row. Triggers keep it, so it is part of every transaction, whoever makes it. It
 * only narrows a search: the rows that it names are still looked at.
 */
import type { Layout } from '../sql/layout.ts';
import { listPartsAmong } from '../sql/queries.ts';
import type { Tables } from '../sql/tables.ts';
import type { Filter, Query } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Search } from './reading/protocol.ts';

const SUFFIX = '$$trigrams';
const PREFIX = 'trigrams$';
/** Letters of a piece. */
const LETTERS = 3;
/** Pieces of a text to look for: each further one narrows little and is looked up all the same. */
const MOST_PIECES = 8;

export class Trigrams {
  readonly #connection: Connection;
  /** Tables that have the index, in that state of the schema. */
  #indexed: { readonly schemaVersion: unknown; readonly tables: ReadonlySet<string> } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those of the layouts that want the index and do not have it yet. */
  missing(layouts: readonly Layout[]): Layout[] {
    return layouts.filter((layout) => fieldsOf(layout).length > 0 && !this.#has(layout));
  }

  /** Makes the indexes, in a transaction, and drops those whose table is gone. */
  make(layouts: readonly Layout[]): void {
    const { db } = this.#connection;
    const select = db.prepare<[], string>(
      `select name from sqlite_schema as it where type = 'table' and sql like 'create virtual%' and name like '%${SUFFIX}'
        and not exists (select 1 from sqlite_schema where type = 'trigger' and name like '${PREFIX}insert$%'
          and name || '${SUFFIX}' = '${PREFIX}insert$' || it.name)`,
    );
    for (const name of select.pluck().all()) db.exec(`drop table "${name}"`);
    const isKnown = db.prepare(`select 1 from sqlite_schema where type = 'trigger' and name = ?`);
    for (const layout of this.missing(layouts)) {
      // The triggers of a table that was renamed still use the index.
      if (!isKnown.get(`${PREFIX}insert$${layout.table}`)) db.exec(indexOf(layout));
    }
  }

  /** How to narrow a query; undefined if that cannot be done. @throws what `listParts` throws */
  searchFor(tables: Tables, query: Query): Search | undefined {
    const { layout } = tables;
    if (fieldsOf(layout).length === 0) return undefined;
    const text = textIn(query.filter, fieldsOf(layout));
    if (text === undefined || !this.#has(layout)) return undefined;
    const table = `"${layout.table}${SUFFIX}"`;
    const sql = `select rowid from ${table} where ${table} match ? limit ?`;
    return { sql, text, parts: listPartsAmong(tables, query) };
  }

  #has({ table }: Layout): boolean {
    const schemaVersion = this.#connection.schemaVersion();
    const known = this.#indexed;
    if (known && known.schemaVersion === schemaVersion) return known.tables.has(table);
    const select = this.#connection.db.prepare<[], string>(
      `select tbl_name from sqlite_schema where type = 'trigger' and name = '${PREFIX}insert$' || tbl_name`,
    );
    const tables = new Set(select.pluck().all());
    this.#indexed = { schemaVersion, tables };
    return tables.has(table);
  }
}

function fieldsOf({ fields }: Layout): string[] {
  return fields.flatMap(([field, { substrings }]) => (substrings === true ? [field] : []));
}

/** What to look for, if whatever matches the filter has it. */
function textIn(filter: Filter | undefined, fields: readonly string[]): string | undefined {
  if (filter?.op === 'and') {
    for (const part of filter.of) {
      const text = textIn(part, fields);
      if (text !== undefined) return text;
    }
  }
  return filter?.op === 'substring' && fields.includes(filter.field) ? piecesOf(filter.field, filter.value) : undefined;
}

/** In the language of FTS5; undefined for a text that is too short. */
function piecesOf(field: string, text: string): string | undefined {
  const letters = [...text];
  const all = new Set(letters.slice(LETTERS - 1).map((_, at) => letters.slice(at, at + LETTERS).join('')));
  if (all.size === 0) return undefined;
  const every = Math.ceil(all.size / MOST_PIECES);
  const some = [...all].filter((_, at) => at % every === 0);
  return `i_${field} : (${some.map((piece) => `"${piece.replaceAll('"', '""')}"`).join(' AND ')})`;
}

function indexOf(layout: Layout): string {
  const table = `"${layout.table}"`;
  const index = `"${layout.table}${SUFFIX}"`;
  const columns = fieldsOf(layout).map((field) => `"${layout.column(field)}"`);
  const all = columns.join();
  const of = (row: 'old' | 'new'): string => [`${row}.id`, ...columns.map((column) => `${row}.${column}`)].join();
  const insert = `insert into ${index} (rowid, ${all}) values (${of('new')});`;
  // Nothing of the texts is in the index but its pieces, so it has to be told what they were.
  const remove = `insert into ${index} (${index}, rowid, ${all}) values ('delete', ${of('old')});`;
  const isOther = columns.map((column) => `old.${column} is not new.${column}`).join(' or ');
  const on = (event: string, detail: string, body: string): string =>
    `create trigger "${PREFIX}${event}$${layout.table}" after ${event}${detail} begin ${body} end;`;
  return `create virtual table ${index} using fts5 (${all}, content='', columnsize=0, detail=column, tokenize='trigram case_sensitive 1');
    insert into ${index} (rowid, ${all}) select id, ${all} from ${table};
    ${on('insert', ` on ${table}`, insert)}
    ${on('update', ` of ${all} on ${table} when ${isOther}`, `${remove} ${insert}`)}
    ${on('delete', ` on ${table}`, remove)}`;
}
