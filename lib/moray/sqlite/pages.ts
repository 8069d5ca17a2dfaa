/**
 * Answers of list queries that were given before, for as long as nobody writes: the same lists are asked for again and
 * again, and looking whether anything was written takes a fraction of finding the objects.
 */
import { LruMap } from '../lru.ts';
import type { Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Tables } from './tables.ts';

/** Objects in all answers that are kept. */
const MOST_OBJECTS = 20_000;
/** What an answer counts for besides its objects, which bounds how many there are. */
const WEIGHT = 10;

interface Page {
  readonly found: readonly Stored<object>[];
  readonly dataVersion: unknown;
  readonly writes: number;
}

export class Pages {
  readonly #connection: Connection;
  readonly #kept = new LruMap<string, Page>(MOST_OBJECTS);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The answer of a query: an earlier one that still holds, or what `read` finds now. The array is the caller's. */
  answer(tables: Tables, query: Query, read: () => Stored<object>[]): Stored<object>[] {
    // Both are read before the objects are: an answer may be newer than it says, never older.
    const dataVersion = this.#connection.dataVersion();
    const { writes } = tables;
    const key = `${tables.layout.table} ${JSON.stringify(query)}`;
    const known = this.#kept.get(key);
    if (known !== undefined && known.dataVersion === dataVersion && known.writes === writes) {
      return known.found.slice();
    }
    const found = read();
    this.#kept.set(key, { found, dataVersion, writes }, found.length + WEIGHT);
    return found.slice();
  }
}
