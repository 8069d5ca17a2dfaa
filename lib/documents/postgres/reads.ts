/** Reads by key. What this process knows already is not sent again: the database is told which states those are. */
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { parseDocument } from '../parse-document.ts';
import { parameter } from '../sql/dialect.ts';
import { type DocumentRow, parseRows } from '../sql/document-rows.ts';
import type { Documents } from '../sql/documents.ts';
import type { Tables } from '../sql/tables.ts';
import type { Stored } from '../store.ts';
import type { Connections } from './connections.ts';

/** Keys of which the last seen etag is remembered. */
const REMEMBERED = 50_000;

/** A row without the document, if that is known. */
export type PerhapsRow = readonly [key: string, etag: string, mtime: number, json: string | null];

export class Reads {
  readonly #connections: Connections;
  readonly #documents: Documents;
  /** By table and key. */
  readonly #etags = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(connections: Connections, documents: Documents) {
    this.#connections = connections;
    this.#documents = documents;
  }

  /**
   * What is read for the first time is not kept: of many documents most are never asked for again, and to freeze one and
   * to note what was worked out of it takes a fifth of the time of the whole request.
   */
  async get(tables: Tables, key: string): Promise<Stored<object> | undefined> {
    const place = placeOf(tables, key);
    const seen = this.#etags.get(place);
    const known = seen === undefined ? undefined : this.#documents.cached(seen);
    const [[row] = []] = await this.#connections.use((session) =>
      session.run([{ statement: getStatement(tables), values: [known?.etag ?? '', key] }]),
    );
    if (row === undefined) return undefined;
    const [etag, mtime, json] = row as [string, number, string | null];
    if (json === null) return known;
    if (etag === seen) return this.#documents.parse(key, etag, mtime, json);
    this.#etags.set(place, etag);
    return this.#documents.cached(etag) ?? { key, value: parseDocument(json), etag, mtime };
  }

  async getMany(tables: Tables, keys: readonly string[]): Promise<Stored<object>[]> {
    const known = new Map(keys.flatMap((key) => this.#known(tables, key) ?? []).map((one) => [one.etag, one]));
    const [rows = []] = await this.#connections.use((session) =>
      session.run([{ statement: getManyStatement(tables), values: [[...known.keys()], [...new Set(keys)]] }]),
    );
    const found = rows as readonly PerhapsRow[];
    for (const [key, etag] of found) this.#etags.set(placeOf(tables, key), etag);
    return await this.complete(found, known, true);
  }

  /** The objects of rows, of which those in `known` came without their documents. @param keep see {@link parseRows} */
  async complete(
    rows: readonly PerhapsRow[],
    known: ReadonlyMap<string, Stored<object>>,
    keep: boolean,
  ): Promise<Stored<object>[]> {
    const sent = rows.filter((row): row is DocumentRow => row[3] !== null);
    const parsed = new Map((await parseRows(this.#documents, sent, keep)).map((one) => [one.etag, one]));
    return rows.flatMap(([, etag]) => parsed.get(etag) ?? known.get(etag) ?? []);
  }

  /** What this process last saw under the key, as long as it remembers that. */
  #known(tables: Tables, key: string): Stored<object> | undefined {
    const etag = this.#etags.get(placeOf(tables, key));
    return etag === undefined ? undefined : this.#documents.cached(etag);
  }
}

function placeOf({ layout }: Tables, key: string): string {
  return `${layout.bucket} ${key}`;
}

function getStatement(tables: Tables) {
  const { layout, dialect } = tables;
  const select = () => sql`select etag, mtime,
      case when etag = ${parameter} then null
        else (select value from ${dialect.table(layout.values)} as document where document.id = object.id) end
    from ${dialect.table(layout.table)} as object where key = ${parameter}`;
  return tables.statement('get', select, 'rows');
}

function getManyStatement(tables: Tables) {
  const { layout, dialect } = tables;
  const select = () => sql`select key, etag, mtime,
      case when etag = any(${parameter}) then null
        else (select value from ${dialect.table(layout.values)} as document where document.id = object.id) end
    from ${dialect.table(layout.table)} as object where key = any(${parameter})`;
  return tables.statement('getMany', select, 'rows');
}
