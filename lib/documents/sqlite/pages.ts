/**
 * Answers of list queries that were given before, for as long as nobody writes: the same lists are asked for again and
 * again, and looking whether anything was written takes a fraction of finding the objects.
 */
import { LRUCache } from 'lru-cache';
import type { Tables } from '../sql/tables.ts';
import type { Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';

/** Characters of JSON behind the answers that are kept; most of their objects are among the cached documents too. */
const MOST_CHARACTERS = 8 * 1024 * 1024;
/** What an object, and an answer, counts for besides. */
const WEIGHT = 500;

/** The state of the database in which an answer was found. */
export interface Place {
  readonly table: string;
  readonly key: string;
  readonly dataVersion: unknown;
  readonly writes: number;
}

/** What was found in one table since it was written to last. */
interface Answers {
  readonly dataVersion: unknown;
  readonly writes: number;
  readonly kept: LRUCache<string, readonly Stored<object>[]>;
}

export class Pages {
  readonly #connection: Connection;
  readonly #answers = new Map<string, Answers>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Where the answer of a query is, or can be kept that is found from now on: it may be newer than this, never older. */
  placeOf(tables: Tables, query: Query): Place {
    const { table } = tables.layout;
    const dataVersion = this.#connection.dataVersion();
    return { table, key: JSON.stringify(query), dataVersion, writes: tables.writes };
  }

  /** An earlier answer that still holds. */
  get(place: Place): readonly Stored<object>[] | undefined {
    const answers = this.#answers.get(place.table);
    if (answers === undefined || isOf(answers, place)) {
      return answers?.kept.get(place.key);
    }
    // None of them will be asked for again, and they hold documents that are gone.
    this.#answers.delete(place.table);
    return undefined;
  }

  /** @param characters of JSON that the objects were */
  keep(place: Place, found: readonly Stored<object>[], characters: number): void {
    const { table, key, dataVersion, writes } = place;
    let answers = this.#answers.get(table);
    if (answers === undefined || !isOf(answers, place)) {
      const kept = answers?.kept ?? new LRUCache({ maxSize: MOST_CHARACTERS, maxEntrySize: MOST_CHARACTERS / 2 });
      kept.clear();
      answers = { dataVersion, writes, kept };
      this.#answers.set(table, answers);
    }
    answers.kept.set(key, found, { size: characters + (found.length + 1) * WEIGHT + key.length });
  }
}

function isOf({ dataVersion, writes }: Answers, place: Place): boolean {
  return dataVersion === place.dataVersion && writes === place.writes;
}
