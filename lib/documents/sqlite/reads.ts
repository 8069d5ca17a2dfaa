/** Reads of one bucket. Reads by key are synchronous; lists are prepared here as jobs of several steps. */
import { type DocumentRow, parseRows } from '../sql/document-rows.ts';
import type { Documents } from '../sql/documents.ts';
import { countStatement, listParts } from '../sql/queries.ts';
import type { Tables } from '../sql/tables.ts';
import type { Filter, Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { CurrentEtags } from './current-etags.ts';
import { searchFor } from './narrowing.ts';
import type { CountJob, FindJob, Refs } from './reading/protocol.ts';
import { plucked, prepared } from './run.ts';
import type { Trigrams } from './trigrams.ts';

/** Characters of documents in one step. */
const STEP_CHARACTERS = 512 * 1024;
/** Rows to find in the first step, and in each later one. */
const FIRST_ROWS = 500;
const MORE_ROWS = 5000;
/** The same where no values are read: each takes the event loop a microsecond or two. */
const BARE_ROWS = 2000;

/** How far a list has been read. */
export interface Progress {
  /** Where the next step begins; `limit` is the number of rows still wanted. */
  readonly query: Query;
  /** Rows that were found but not read yet, and the tables they belong to. */
  readonly rest?: { readonly refs: Refs; readonly tables: Tables; readonly isEnd: boolean };
  readonly isFirst: boolean;
  /** The values are not read. */
  readonly isBare: boolean;
}

export class Reads {
  readonly #connection: Connection;
  readonly #documents: Documents;
  readonly #trigrams: Trigrams;
  readonly #etags: CurrentEtags;

  constructor(connection: Connection, documents: Documents, trigrams: Trigrams) {
    this.#connection = connection;
    this.#documents = documents;
    this.#trigrams = trigrams;
    this.#etags = new CurrentEtags(connection);
  }

  get(tables: Tables, key: string): Stored<object> | undefined {
    const { db } = this.#connection;
    const etag = plucked(db, tables.etagOf).get(key) as string | undefined;
    if (etag === undefined) return undefined;
    const cached = this.#documents.cached(etag);
    if (cached !== undefined) return cached;
    const row = prepared(db, tables.documentByKey).get(key) as DocumentRow | undefined;
    return row && this.#documents.parse(...row);
  }

  /** The document as it is now, if it is in memory. */
  kept(tables: Tables, key: string): Stored<object> | undefined {
    const read = (): string | undefined => plucked(this.#connection.db, tables.etagOf).get(key) as string | undefined;
    const isInMemory = (etag: string): boolean => this.#documents.cached(etag) !== undefined;
    const etag = this.#etags.get(tables, key, read, isInMemory);
    return etag === undefined ? undefined : this.#documents.cached(etag);
  }

  /** The rows of the keys, from one snapshot. */
  getRows(tables: Tables, keys: readonly string[]): DocumentRow[] {
    const list = tables.dialect.encodeList(keys);
    return prepared(this.#connection.db, tables.documentsOf).all(list) as DocumentRow[];
  }

  /** One step of a list; undefined if nothing can be found. @throws NotIndexedError, InvalidValueError */
  findJob(tables: Tables, { query, rest, isFirst, isBare }: Progress): FindJob | undefined {
    const most = isBare ? BARE_ROWS : isFirst ? FIRST_ROWS : MORE_ROWS;
    const rows = Math.min(query.limit ?? most, most);
    const parts = listParts(tables, { ...query, limit: query.limit ?? rows });
    if (parts.length === 0) return undefined;
    const search =
      rest?.tables === tables ? undefined : searchFor(tables, { ...query, limit: query.limit ?? rows }, this.#trigrams);
    return {
      type: 'find',
      parts,
      ...(search && { search }),
      limit: rows,
      refs: rest?.tables === tables ? rest.refs : undefined,
      documentOf: (isBare ? tables.bareOf : tables.documentOf).sql,
      characters: STEP_CHARACTERS,
    };
  }

  /** @throws NotIndexedError, InvalidValueError */
  countJob(tables: Tables, filter: Filter | undefined): CountJob | undefined {
    const statement = countStatement(tables, filter);
    return statement && { type: 'count', statement };
  }

  /** @param keep see {@link parseRows} */
  parse(rows: readonly DocumentRow[], keep: boolean): Promise<Stored<object>[]> {
    return parseRows(this.#documents, rows, keep);
  }

  /** SQLite's plan of a list query, a line per step. */
  planOf(tables: Tables, query: Query): string[] {
    return listParts(tables, query).flatMap(({ sql, values }) => {
      const plan = this.#connection.db.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`);
      return plan.all(...values).map((step) => step.detail);
    });
  }
}
