/** Reads of one bucket, each on one snapshot of the database. */
import { isIndexableText } from '../index-value.ts';
import { Binder, FALSE, TRUE } from '../sql/bind.ts';
import { bindQuery, selectCount, selectParts } from '../sql/select.ts';
import type { Filter, Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import type { Documents } from './documents.ts';
import { inOrder, type Prepared, type Tables } from './tables.ts';

type Row = readonly [id: number, key: string, etag: string, mtime: number];

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
    const { parts, values, limit } = prepareFind(tables, query);
    return this.#connection.read(() => {
      const found: Stored<object>[] = [];
      for (const part of parts) {
        if (limit !== undefined) {
          values[limit] = (query.limit ?? 0) - found.length;
        }
        for (const row of part.statement.all(...inOrder(part, values)) as Row[]) {
          found.push(this.#stored(tables, row));
        }
        if (found.length === query.limit) {
          break;
        }
      }
      return found;
    });
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

  #stored(tables: Tables, [id, key, etag, mtime]: Row): Stored<object> {
    return this.#documents.stored(key, etag, mtime, () => tables.valueOf.get(id) as string);
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
