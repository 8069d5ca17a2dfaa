/**
 * Answers of list queries that were given before, for as long as nobody writes: the same lists are asked for again and
 * again, and looking whether anything was written takes a fraction of finding the objects.
 */
import { LruMap } from '../lru.ts';
import type { Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Tables } from './tables.ts';

/** Characters of JSON behind all answers that are kept; most of their objects are among the cached documents too. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
/** What an object, and an answer, counts for besides. */
const WEIGHT = 500;

interface Page {
  readonly found: readonly Stored<object>[];
  readonly dataVersion: unknown;
  readonly writes: number;
}

/** The state of the database in which an answer was found. */
export interface Place {
  readonly key: string;
  readonly dataVersion: unknown;
  readonly writes: number;
}

export class Pages {
  readonly #connection: Connection;
  readonly #kept = new LruMap<string, Page>(MOST_CHARACTERS);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Where the answer of a query is, or can be kept that is found from now on: it may be newer than this, never older. */
  placeOf(tables: Tables, query: Query): Place {
    const key = `${tables.layout.table} ${JSON.stringify(query)}`;
    return { key, dataVersion: this.#connection.dataVersion(), writes: tables.writes };
  }

  /** An earlier answer that still holds. */
  get({ key, dataVersion, writes }: Place): readonly Stored<object>[] | undefined {
    const known = this.#kept.get(key);
    return known !== undefined && known.dataVersion === dataVersion && known.writes === writes
      ? known.found
      : undefined;
  }

  /** @param characters of JSON that the objects were */
  keep({ key, dataVersion, writes }: Place, found: readonly Stored<object>[], characters: number): void {
    this.#kept.set(key, { found, dataVersion, writes }, characters + (found.length + 1) * WEIGHT + key.length);
  }
}
