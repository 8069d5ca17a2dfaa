/** Reads of one bucket, each on one snapshot of the database. */
import { isIndexableText } from '../index-value.ts';
import { Binder, FALSE, TRUE } from '../sql/bind.ts';
import { bindQuery, selectCount, selectParts } from '../sql/select.ts';
import type { Filter, Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import type { Documents } from './documents.ts';
import { Pages } from './pages.ts';
import { inOrder, type Prepared, type Tables } from './tables.ts';

type Row = readonly [id: number, etag: string];

export class Reads {
  readonly #connection: Connection;
  readonly #documents: Documents;
  readonly #pages: Pages;

  constructor(connection: Connection, documents: Documents) {
    this.#connection = connection;
    this.#pages = new Pages(connection);
    this.#documents = documents;
  }

  get(tables: Tables, key: string): Stored<object> | undefined {
    const etag = tables.etagOf.get(key) as string | undefined;
    if (etag === undefined) {
      return undefined;
    }
    return (
      this.#documents.cached(etag) ??
      this.#connection.read(() => {
        const row = tables.rowOf.get(key) as Row | undefined;
        return row && this.#stored(tables, row);
      })
    );
  }

  getMany(tables: Tables, keys: readonly string[]): Stored<object>[] {
    return this.#connection.read(() => {
      // JSON in SQLite ends a text at NUL, and would find another key.
      const rows = tables.rowsOf.all(JSON.stringify(keys.filter(isIndexableText))) as Row[];
      return rows.map((row) => this.#stored(tables, row));
    });
  }

  find(tables: Tables, query: Query): Stored<object>[] {
    return this.#pages.answer(tables, query, () => this.#find(tables, query));
  }

  #find(tables: Tables, query: Query): Stored<object>[] {
    const { parts, values, limit } = prepareFind(tables, query);
    const [only] = parts;
    const known = parts.length === 1 && only !== undefined ? this.#findKnown(only, values) : undefined;
    if (known !== undefined) {
      return known;
    }
    return this.#connection.read(() => {
      const found: Stored<object>[] = [];
      for (const part of parts) {
        if (limit !== undefined) {
          values[limit] = (query.limit ?? 0) - found.length;
        }
        for (const row of part.statement.all(inOrder(part, values)) as Row[]) {
          found.push(this.#stored(tables, row));
        }
        if (found.length === query.limit) {
          break;
        }
      }
      return found;
    });
  }

  /** A single statement is a snapshot by itself, as long as it finds nothing that has to be read too. */
  #findKnown(part: Prepared, values: readonly unknown[]): Stored<object>[] | undefined {
    const found: Stored<object>[] = [];
    for (const [, etag] of part.statement.all(inOrder(part, values)) as Row[]) {
      const known = this.#documents.cached(etag);
      if (known === undefined) {
        return undefined;
      }
      found.push(known);
    }
    return found;
  }

  count(tables: Tables, filter: Filter | undefined): number {
    const binder = new Binder(tables.layout, sqliteDialect);
    const bound = filter === undefined ? TRUE : binder.filter(filter);
    if (bound === FALSE) {
      return 0;
    }
    const [part] = tables.query(`count ${bound.shape}`, () => [selectCount(bound, tables.layout, sqliteDialect)]);
    const row = part?.statement.get(...inOrder(part, binder.values)) as [number] | undefined;
    return row?.[0] ?? 0;
  }

  /** SQLite's plan of a list query, a line per step. */
  explain(tables: Tables, query: Query): string[] {
    const { parts, values } = prepareFind(tables, query);
    return parts.flatMap((part) => {
      const plan = this.#connection.db.prepare<unknown[], { detail: string }>(`explain query plan ${part.sql}`);
      return plan.all(...inOrder(part, values)).map((step) => step.detail);
    });
  }

  #stored(tables: Tables, [id, etag]: Row): Stored<object> {
    const cached = this.#documents.cached(etag);
    if (cached !== undefined) {
      return cached;
    }
    const [key, mtime, json] = tables.documentOf.get(id) as [string, number, string];
    return this.#documents.parse(key, etag, mtime, json);
  }
}

function prepareFind(
  tables: Tables,
  query: Query,
): { parts: readonly Prepared[]; values: unknown[]; limit: number | undefined } {
  const binder = new Binder(tables.layout, sqliteDialect);
  const bound = bindQuery(query, binder);
  const parts =
    bound.filter === FALSE ? [] : tables.query(bound.shape, () => selectParts(bound, tables.layout, sqliteDialect));
  return { parts, values: binder.values, limit: bound.limit?.at };
}
