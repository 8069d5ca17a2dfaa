/**
 * The etags that were last read, and in which state of the database: asking whether anything was written since takes less
 * than half of the time of looking an etag up.
 */
import { LRUCache } from 'lru-cache';
import type { Tables } from '../sql/tables.ts';
import type { Connection } from './connection.ts';

/** For each bucket; each takes some 250 bytes. */
const MOST_ETAGS = 16_000;

interface Known {
  readonly etag: string;
  readonly dataVersion: unknown;
  /** Of this process. */
  readonly writes: number;
}

export class CurrentEtags {
  readonly #connection: Connection;
  readonly #known = new WeakMap<Tables, LRUCache<string, Known>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * @param read looks it up in the database
   * @param isOfUse whether it is worth knowing
   */
  get(
    tables: Tables,
    key: string,
    read: () => string | undefined,
    isOfUse: (etag: string) => boolean,
  ): string | undefined {
    const of = this.#of(tables);
    // The versions first: what is written after they were read changes them again.
    const dataVersion = this.#connection.dataVersion();
    const { writes } = tables;
    const known = of.get(key);
    if (known && known.dataVersion === dataVersion && known.writes === writes) return known.etag;
    const etag = read();
    if (etag === undefined || !isOfUse(etag)) of.delete(key);
    else of.set(key, { etag, dataVersion, writes });
    return etag;
  }

  #of(tables: Tables): LRUCache<string, Known> {
    const known = this.#known.get(tables);
    if (known) return known;
    const made = new LRUCache<string, Known>({ max: MOST_ETAGS });
    this.#known.set(tables, made);
    return made;
  }
}
