/**
 * Reads that may be long, split into bounded steps: each reads from one snapshot, finds a limited number of rows, and
 * returns a limited number of characters. The same code runs in the reading threads and, for short reads and databases
 * in memory, on the main thread.
 */
import type Database from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { DocumentRow } from '../../sql/document-rows.ts';
import type { BoundStatement, ListPart } from '../../sql/queries.ts';
import type { Connection } from '../connection.ts';
import { sqliteDialect } from '../dialect.ts';
import type { AnswerOf, FindJob, Found, Job, Refs, Search } from './protocol.ts';

/** Characters of SQL to keep prepared. */
const PREPARED_CHARACTERS = 128 * 1024;

/** Rows among which a search is better than one that looks at them in their order. */
const MOST_AMONG = 2000;

interface Rows {
  readonly ids: readonly number[];
  readonly etags: readonly string[];
}

function rowsOf({ ids, etags }: Refs): Rows {
  return { ids: [...ids], etags: etags.split(' ') };
}

export class Steps {
  readonly #connection: Connection;
  readonly #prepared = new LRUCache<string, Database.Statement>({ maxSize: PREPARED_CHARACTERS });
  /**
   * Characters of SQL ever prepared. Dropped statements take memory until the connection is closed, because the garbage
   * collector does not know their size.
   */
  preparedCharacters = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  run(job: Job): AnswerOf[keyof AnswerOf] {
    return job.type === 'find' ? this.#connection.read(() => this.#find(job)) : this.#count(job.statement);
  }

  #count({ sql, values }: BoundStatement): number {
    const row = this.#statement(sql).get(...values) as [number] | undefined;
    return row?.[0] ?? 0;
  }

  #find(job: FindJob): Found {
    const { ids, etags } = job.refs ? rowsOf(job.refs) : this.#findRows(job);
    const documentOf = this.#statement(job.documentOf);
    const documents: DocumentRow[] = [];
    let characters = 0;
    let isStale = false;
    for (const [at, id] of ids.entries()) {
      const row = documentOf.get(id) as DocumentRow | undefined;
      if (row?.[1] !== etags[at]) {
        isStale = true;
        break;
      }
      documents.push(row as DocumentRow);
      characters += (row as DocumentRow)[3].length;
      if (characters >= job.characters) {
        break;
      }
    }
    const read = documents.length;
    const rest = { ids: Float64Array.from(ids.slice(read)), etags: etags.slice(read).join(' ') };
    return { documents, rest, isEnd: ids.length < job.limit, isStale };
  }

  #findRows({ parts, search, limit }: FindJob): Rows {
    const found = search && this.#narrowed(search);
    return this.#rowsOf(found ?? parts, limit);
  }

  /** The search among the rows that can match; undefined if they are many: then enough of them are found soon. */
  #narrowed({ by, parts }: Search): readonly ListPart[] | undefined {
    for (const { sql, text } of by) {
      const rows = this.#statement(sql).all(text, MOST_AMONG + 1) as (readonly [number])[];
      if (rows.length > MOST_AMONG) continue;
      const ids = sqliteDialect.encodeList(rows.map(([id]) => id));
      return parts.map(({ idsAt = [], ...part }) => ({
        ...part,
        values: part.values.map((value, at) => (idsAt.includes(at) ? ids : value)),
      }));
    }
    return undefined;
  }

  #rowsOf(parts: readonly ListPart[], limit: number): Rows {
    const ids: number[] = [];
    const etags: string[] = [];
    for (const { sql, values, limitAt } of parts) {
      const left = limit - ids.length;
      const bound = values.map((value, at) => (limitAt.includes(at) ? left : value));
      for (const [id, etag] of this.#statement(sql).all(...bound) as (readonly [number, string])[]) {
        ids.push(id);
        etags.push(etag);
      }
      if (ids.length >= limit) {
        break;
      }
    }
    return { ids, etags };
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#connection.db.prepare(sql).raw();
      this.preparedCharacters += sql.length;
      this.#prepared.set(sql, statement, { size: sql.length });
    }
    return statement;
  }
}
