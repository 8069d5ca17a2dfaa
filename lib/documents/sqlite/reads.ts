/**
 * Reads of one bucket. What is found by its key is read at once; what may be long is read in steps, by threads where
 * there is a file that they can open, and turned into objects in turns.
 */
import { Turn } from '../../runtime/turns.ts';
import { indexValue } from '../index-value.ts';
import { Binder, FALSE, TRUE } from '../sql/bind.ts';
import { bindQuery, selectCount, selectParts } from '../sql/select.ts';
import type { Filter, Query, Scalar, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import type { Documents } from './documents.ts';
import type { CountJob, DocumentRow, FindJob, Refs } from './reading/protocol.ts';
import { inOrder, type Tables } from './tables.ts';

/** Characters of JSON that are parsed without a break. */
const PIECE = 64 * 1024;
/** Characters of documents in one step. */
const STEP_CHARACTERS = 512 * 1024;
/** Rows to find in the first step, and in each later one. */
const FIRST_ROWS = 500;
const MORE_ROWS = 5000;

/** How far a list has been read. */
export interface Progress {
  /** Where the next step begins; `limit` is what is still wanted. */
  readonly query: Query;
  /** Rows that were found and not read, and the tables that they are rows of. */
  readonly rest?: { readonly refs: Refs; readonly tables: Tables; readonly isEnd: boolean };
  readonly isFirst: boolean;
}

export class Reads {
  readonly #connection: Connection;
  readonly #documents: Documents;

  constructor(connection: Connection, documents: Documents) {
    this.#connection = connection;
    this.#documents = documents;
  }

  get(tables: Tables, key: string): Stored<object> | undefined {
    const etag = tables.etagOf.get(key) as string | undefined;
    if (etag === undefined) {
      return undefined;
    }
    const cached = this.#documents.cached(etag);
    if (cached !== undefined) {
      return cached;
    }
    const row = tables.documentByKey.get(key) as DocumentRow | undefined;
    return row && this.#documents.parse(...row);
  }

  /** The rows of the keys, on one snapshot. */
  getRows(tables: Tables, keys: readonly string[]): DocumentRow[] {
    return tables.documentsOf.all(JSON.stringify(keys)) as DocumentRow[];
  }

  /** A step of a list; undefined when nothing can be found. @throws NotIndexedError, InvalidValueError */
  findJob(tables: Tables, { query, rest, isFirst }: Progress): FindJob | undefined {
    const rows = Math.min(query.limit ?? MORE_ROWS, isFirst ? FIRST_ROWS : MORE_ROWS);
    const { parts, limitAt, values } = prepareFind(tables, { ...query, limit: query.limit ?? rows });
    if (parts.length === 0) {
      return undefined;
    }
    return {
      type: 'find',
      parts: parts.map((part) => ({
        sql: part.sql,
        values: inOrder(part, values),
        limitAt: part.slots.flatMap((slot, at) => (slot === limitAt ? [at] : [])),
      })),
      limit: rows,
      refs: rest?.tables === tables ? rest.refs : undefined,
      documentOf: tables.documentOf,
      characters: STEP_CHARACTERS,
    };
  }

  /** @throws NotIndexedError, InvalidValueError */
  countJob(tables: Tables, filter: Filter | undefined): CountJob | undefined {
    const binder = new Binder(tables.layout, sqliteDialect);
    const bound = filter === undefined ? TRUE : binder.filter(filter);
    if (bound === FALSE) {
      return undefined;
    }
    const [part] = tables.query(`count ${bound.shape}`, () => [selectCount(bound, tables.layout, sqliteDialect)]);
    return part && { type: 'count', statement: { sql: part.sql, values: inOrder(part, binder.values) } };
  }

  /** Objects from rows; many in turns with what else is long. @param keep whether they are likely to be asked for again */
  async parse(rows: readonly DocumentRow[], keep: boolean): Promise<Stored<object>[]> {
    const isLong = charactersOf(rows) > PIECE;
    const turn = new Turn();
    const found: Stored<object>[] = [];
    for (const row of rows) {
      if (isLong && turn.isOver) {
        await turn.next();
      }
      const [key, etag, mtime, json] = row;
      const cached = this.#documents.cached(etag);
      found.push(cached ?? (keep ? this.#documents.parse(...row) : { key, value: JSON.parse(json), etag, mtime }));
    }
    return found;
  }

  /** SQLite's plan of a list query, a line per step. */
  planOf(tables: Tables, query: Query): string[] {
    const { parts, values } = prepareFind(tables, query);
    return parts.flatMap((part) => {
      const plan = this.#connection.db.prepare<unknown[], { detail: string }>(`explain query plan ${part.sql}`);
      return plan.all(...inOrder(part, values)).map((step) => step.detail);
    });
  }
}

/** The place of an object in the order of a query: what comes next comes after it. */
export function placeIn({ sort }: Query, tables: Tables, { key, value }: Stored<object>): NonNullable<Query['after']> {
  if (sort === undefined) {
    return { value: null, key };
  }
  const { layout } = tables;
  try {
    const found = indexValue(layout.bucket, sort.field, layout.scalar(sort.field), Reflect.get(value, sort.field));
    return { value: found as Scalar | null, key };
  } catch {
    // What an index could not take when it was made is absent from it.
    return { value: null, key };
  }
}

export function charactersOf(rows: readonly DocumentRow[]): number {
  return rows.reduce((sum, [, , , json]) => sum + json.length, 0);
}

function prepareFind(tables: Tables, query: Query) {
  const binder = new Binder(tables.layout, sqliteDialect);
  const bound = bindQuery(query, binder);
  const parts =
    bound.filter === FALSE ? [] : tables.query(bound.shape, () => selectParts(bound, tables.layout, sqliteDialect));
  return { parts, values: binder.values, limitAt: bound.limit?.at ?? -1 };
}
