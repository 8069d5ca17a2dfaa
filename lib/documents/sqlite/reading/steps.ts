/**
 * Reads that may be long, split into bounded steps: each reads from one snapshot, finds a limited number of rows, and
 * returns a limited number of characters. The same code runs in the reading threads and, for short reads and databases
 * in memory, on the main thread.
 */
import type Database from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { DocumentRow } from '../../sql/document-rows.ts';
import type { BoundStatement } from '../../sql/queries.ts';
import type { Connection } from '../connection.ts';
import type { AnswerOf, FindJob, Found, Job, Refs } from './protocol.ts';

/** Characters of SQL to keep prepared. */
const PREPARED_CHARACTERS = 128 * 1024;

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

  #findRows({ parts, limit }: FindJob): Rows {
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
