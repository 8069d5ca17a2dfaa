/**
 * A cache of answers to list queries, each valid until a write could have changed it, in this process or another. The same
 * lists are asked for again and again, and checking whether anything was written takes a fraction of the time of finding
 * the objects. An answer is kept as the etags of its documents, which are in a cache of their own: what falls out of that,
 * or is replaced, is found again. Once there is no room, only what is asked for again is kept.
 */
import { LRUCache } from 'lru-cache';
import { AskedBefore } from '../sql/asked-before.ts';
import type { Documents } from '../sql/documents.ts';
import type { Tables } from '../sql/tables.ts';
import type { KeptList, Query, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { mayTouch } from './may-touch.ts';
import type { Touch, Touched } from './touched.ts';

/** Bytes of answers, approximately. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Answers of one bucket: each is compared with each write. */
const MOST_PAGES = 2000;
/** Documents of an answer. */
const LONGEST_PAGE = 1000;
/** Fixed overhead of an answer, in bytes, and what it takes for each document, and for each character of the query. */
const WEIGHT = 1000;
const DOCUMENT_WEIGHT = 100;
const CHARACTER_WEIGHT = 4;

/** A query, and the state of the database in which its answer will be found, or a later one. */
export interface Place {
  readonly tables: Tables;
  readonly query: Query;
  readonly key: string;
  readonly state: State;
}

interface State {
  readonly dataVersion: unknown;
  readonly schemaVersion: unknown;
  /** Of this process. */
  readonly writes: number;
  /** The latest note of writes; undefined if they are not noted. */
  readonly seen: number | undefined;
}

class Page implements KeptList<object> {
  readonly #etags: readonly string[];
  readonly #cache: Documents;
  readonly mayTouch: (touch: Touch) => boolean;

  constructor(etags: readonly string[], cache: Documents, touches: (touch: Touch) => boolean) {
    this.#etags = etags;
    this.#cache = cache;
    this.mayTouch = touches;
  }

  documents(): readonly Stored<object>[] | undefined {
    const documents: Stored<object>[] = [];
    for (const etag of this.#etags) {
      const document = this.#cache.cached(etag);
      if (document === undefined) return undefined;
      documents.push(document);
    }
    return documents;
  }
}

/** The answers found in one table. */
interface Answers {
  readonly tables: Tables;
  /** They are valid as of this one. */
  state: State;
  readonly kept: LRUCache<string, Page>;
}

export class Pages {
  readonly #connection: Connection;
  readonly #touched: Touched;
  readonly #documents: Documents;
  readonly #answers = new Map<string, Answers>();
  readonly #asked = new AskedBefore();
  /** The same query comes with the next request of its kind. */
  readonly #keys = new WeakMap<Query, string>();

  constructor(connection: Connection, touched: Touched, documents: Documents) {
    this.#connection = connection;
    this.#touched = touched;
    this.#documents = documents;
  }

  /** The place of a query's answer now. An answer that is found after this call may be kept there. */
  placeOf(tables: Tables, query: Query): Place {
    return { tables, query, key: this.#keyOf(query), state: this.#current(tables).state };
  }

  /** An earlier answer that is still valid. */
  find(tables: Tables, query: Query): KeptList<object> | undefined {
    return this.#current(tables).kept.get(this.#keyOf(query));
  }

  /** What is there, if all of it is in memory. */
  get({ tables, key }: Place): readonly Stored<object>[] | undefined {
    return this.#answers.get(tables.layout.table)?.kept.get(key)?.documents();
  }

  keep({ tables, query, key, state }: Place, found: readonly Stored<object>[]): void {
    if (found.length > LONGEST_PAGE) return;
    const answers = this.#current(tables);
    const size = WEIGHT + DOCUMENT_WEIGHT * found.length + CHARACTER_WEIGHT * key.length;
    if (!hasRoom(answers.kept, size) && !this.#asked.isAgain(key)) return;
    const etags = found.map(({ etag }) => etag);
    const page = new Page(etags, this.#documents, mayTouch(query.filter, tables.layout));
    if (!isSame(state, answers.state)) {
      const since = this.#since(state, answers.state.schemaVersion, tables);
      // It may have been found before a write or after it.
      if (!since || since.touches.some(page.mayTouch)) return;
    }
    answers.kept.set(key, page, { size });
  }

  #keyOf(query: Query): string {
    const known = this.#keys.get(query);
    if (known !== undefined) return known;
    const key = JSON.stringify(query);
    this.#keys.set(query, key);
    return key;
  }

  /** The answers that are valid in the current state. */
  #current(tables: Tables): Answers {
    const { table } = tables.layout;
    // The versions first: what is written after they were read changes them again.
    const dataVersion = this.#connection.dataVersion();
    const { writes } = tables;
    const known = this.#answers.get(table);
    const isOfThese = known?.tables === tables;
    if (isOfThese && known.state.dataVersion === dataVersion && known.state.writes === writes) return known;
    const schemaVersion = this.#connection.schemaVersion();
    const since = isOfThese ? this.#since(known.state, schemaVersion, tables) : undefined;
    if (known && since) {
      const touches = since.touches.filter((touch) => touch.table === table);
      if (touches.length > 0) {
        for (const [key, page] of known.kept) if (touches.some(page.mayTouch)) known.kept.delete(key);
      }
      known.state = { dataVersion, schemaVersion, writes, seen: since.latest };
      return known;
    }
    const seen = this.#touched.isNoted(table, schemaVersion) ? this.#touched.latest() : undefined;
    const answers: Answers = {
      tables,
      state: { dataVersion, schemaVersion, writes, seen },
      kept: new LRUCache({ max: MOST_PAGES, maxSize: MOST_BYTES, maxEntrySize: MOST_BYTES / 2 }),
    };
    this.#answers.set(table, answers);
    return answers;
  }

  /** What was written since that state; undefined if that is not known. */
  #since(state: State, schemaVersion: unknown, { layout }: Tables): ReturnType<Touched['since']> {
    if (state.seen === undefined || state.schemaVersion !== schemaVersion) return undefined;
    return this.#touched.isNoted(layout.table, schemaVersion) ? this.#touched.since(state.seen) : undefined;
  }
}

function hasRoom({ size: count, max, calculatedSize, maxSize }: Answers['kept'], size: number): boolean {
  return count < max && calculatedSize + size <= maxSize;
}

function isSame(one: State, other: State): boolean {
  return (
    one.dataVersion === other.dataVersion && one.writes === other.writes && one.schemaVersion === other.schemaVersion
  );
}
