/**
 * A cache of answers to list queries, valid until somebody writes. The same lists are asked for again and again, and
 * checking whether anything was written takes a fraction of the time of finding the objects.
 */
import { LRUCache } from 'lru-cache';
import type { Tables } from '../sql/tables.ts';
import type { Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';

/** Characters of JSON in the cached answers; most of their objects are in the document cache too. */
const MOST_CHARACTERS = 8 * 1024 * 1024;
/** Fixed overhead of an object, and of an answer. */
const WEIGHT = 500;

/** A query, and the state of the database in which its answer was found. */
export interface Place {
  readonly table: string;
  readonly key: string;
  readonly dataVersion: unknown;
  readonly writes: number;
}

/** The answers found in one table since the last write to it. */
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

  /** The place of a query's answer now. An answer that is found after this call may be kept there. */
  placeOf(tables: Tables, query: Query): Place {
    const { table } = tables.layout;
    const dataVersion = this.#connection.dataVersion();
    return { table, key: JSON.stringify(query), dataVersion, writes: tables.writes };
  }

  /** An earlier answer that is still valid. */
  get(place: Place): readonly Stored<object>[] | undefined {
    const answers = this.#answers.get(place.table);
    if (answers === undefined || isOf(answers, place)) {
      return answers?.kept.get(place.key);
    }
    // None of them can be used again, and they hold documents that are gone.
    this.#answers.delete(place.table);
    return undefined;
  }

  /** @param characters of JSON in the objects */
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
