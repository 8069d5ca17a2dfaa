/**
 * Lists and counts. A list is found in steps: so many rows by a statement of their own, then their documents, so many
 * characters at a time. No statement, and so no snapshot, lasts longer than it takes to read its answer.
 */
import { sql } from 'kysely';
import { parameter } from '../sql/dialect.ts';
import type { Documents } from '../sql/documents.ts';
import { Statement, type Step } from '../sql/program.ts';
import { countStatement, type ListPart, listParts, restOf } from '../sql/queries.ts';
import type { Tables } from '../sql/tables.ts';
import type { Filter, Query, Stored } from '../store.ts';
import type { Access } from './access.ts';
import type { Connections } from './connections.ts';
import type { PerhapsRow, Reads } from './reads.ts';

/** Rows to find in the first step, and in each later one. */
const FIRST_ROWS = 500;
const MORE_ROWS = 5000;
/** Documents to ask for at a time, and the bytes of JSON after which the server leaves the rest to the next question. */
const DOCUMENTS = 200;
const BYTES = 512 * 1024;

/** A row that was found, as it was then. */
interface Ref {
  readonly id: number;
  readonly etag: string;
}

interface Found {
  readonly tables: Tables;
  readonly refs: readonly Ref[];
  /** There are no more. */
  readonly isEnd: boolean;
}

interface Piece {
  readonly documents: readonly Stored<object>[];
  /** A row has changed since it was found: it may belong elsewhere now, so the rest has to be found again. */
  readonly isStale: boolean;
}

export class Lists {
  readonly #connections: Connections;
  readonly #access: Access;
  readonly #documents: Documents;
  readonly #reads: Reads;

  constructor(connections: Connections, access: Access, documents: Documents, reads: Reads) {
    this.#connections = connections;
    this.#access = access;
    this.#documents = documents;
    this.#reads = reads;
  }

  async *scan(
    bucket: string,
    query: Query,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Stored<object>[], void> {
    let left = query;
    for (let isFirst = true; ; isFirst = false) {
      const found = await this.#find(bucket, left, isFirst ? FIRST_ROWS : MORE_ROWS, signal);
      let isStale = false;
      for (let at = 0; at < found.refs.length && !isStale; ) {
        const piece = await this.#piece(found, at, isFirst, signal);
        at += piece.documents.length;
        isStale = piece.isStale;
        left = restOf(left, found.tables, piece.documents);
        if (piece.documents.length > 0) yield piece.documents;
      }
      if (left.limit === 0 || (found.isEnd && !isStale)) return;
    }
  }

  async count(bucket: string, filter: Filter | undefined, signal: AbortSignal | undefined): Promise<number> {
    return await this.#access.in(
      bucket,
      async (tables) => {
        const statement = countStatement(tables, filter);
        if (statement === undefined) return 0;
        const [[row] = []] = await this.#run([stepOf(statement)], signal);
        return row?.[0] as number;
      },
      signal,
    );
  }

  #find(bucket: string, query: Query, most: number, signal: AbortSignal | undefined): Promise<Found> {
    const limit = Math.min(query.limit ?? most, most);
    return this.#access.in(
      bucket,
      async (tables) => {
        const refs: Ref[] = [];
        for (const part of listParts(tables, { ...query, limit })) {
          const [rows = []] = await this.#run([stepOf(limited(part, limit - refs.length))], signal);
          for (const [id, etag] of rows as [number, string][]) refs.push({ id, etag });
          if (refs.length >= limit) break;
        }
        return { tables, refs, isEnd: refs.length < limit };
      },
      signal,
    );
  }

  /** The documents from a place on, as many as fit into a piece. */
  async #piece({ tables, refs }: Found, at: number, keep: boolean, signal: AbortSignal | undefined): Promise<Piece> {
    const wanted = refs.slice(at, at + DOCUMENTS);
    // Held here, so that the cache cannot drop them meanwhile.
    const known = new Map(
      wanted.flatMap(({ etag }) => this.#documents.cached(etag) ?? []).map((stored) => [stored.etag, stored]),
    );
    const missing = wanted.filter(({ etag }) => !known.has(etag));
    const rows = missing.length === 0 ? [] : await this.#rowsOf(tables, missing, signal);
    const documents = await this.#reads.complete(rows, new Map(), keep);
    for (const stored of documents) known.set(stored.etag, stored);
    const absent = wanted.findIndex(({ etag }) => !known.has(etag));
    if (absent === -1) return { documents: inOrder(wanted, known), isStale: false };
    const wasCut = rows.length > 0 && missing.findIndex(({ etag }) => !known.has(etag)) === rows.length;
    return { documents: inOrder(wanted.slice(0, absent), known), isStale: !wasCut };
  }

  /** The first ones of the rows that are as they were, up to so many bytes; none if a bucket has other tables now. */
  async #rowsOf(tables: Tables, refs: readonly Ref[], signal: AbortSignal | undefined): Promise<readonly PerhapsRow[]> {
    const { bucket } = tables.layout;
    const values = [refs.map(({ id }) => id), BYTES];
    return await this.#access.in(
      bucket,
      async (now) => {
        if (now !== tables) return [];
        const [rows = []] = await this.#run([{ statement: documentsStatement(tables), values }], signal);
        return rows as unknown as readonly PerhapsRow[];
      },
      signal,
    );
  }

  #run(steps: readonly Step[], signal: AbortSignal | undefined) {
    return this.#connections.use((session) => session.run(steps, signal), signal);
  }
}

function inOrder(refs: readonly Ref[], known: ReadonlyMap<string, Stored<object>>): Stored<object>[] {
  return refs.flatMap(({ etag }) => known.get(etag) ?? []);
}

function limited(part: ListPart, limit: number): { sql: string; values: readonly unknown[] } {
  return { sql: part.sql, values: part.values.map((value, at) => (part.limitAt.includes(at) ? limit : value)) };
}

function stepOf({ sql: text, values }: { readonly sql: string; readonly values: readonly unknown[] }): Step {
  return { statement: new Statement(text, 'rows'), values };
}

/** The length of a document is known without reading it. */
function documentsStatement(tables: Tables): Statement {
  const { layout, dialect } = tables;
  const select = () => sql`select key, etag, mtime, value from (
      select key, etag, mtime, value, at, sum(octet_length(value)) over (order by at) - octet_length(value) as before
      from unnest(${parameter}::bigint[]) with ordinality as wanted (id, at)
        join ${dialect.table(layout.table)} using (id) join ${dialect.table(layout.values)} using (id)
    ) as found where before < ${parameter} order by at`;
  return tables.statement('documents', select, 'rows');
}
