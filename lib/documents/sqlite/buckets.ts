import { Buckets } from '../sql/buckets.ts';
import { readDeclarations } from '../sql/schema.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import { run } from './run.ts';

/** Buckets that use SQLite's schema version to notice what other processes declare. */
export class SqliteBuckets extends Buckets {
  readonly #connection: Connection;
  #schemaVersion: unknown;

  constructor(connection: Connection, warn: (fields: object, message: string) => void) {
    super(sqliteDialect, warn);
    this.#connection = connection;
  }

  /** Checks whether another process has changed the schema; returns whether a bucket has other tables than before. */
  refresh(): boolean {
    const schemaVersion = this.#connection.schemaVersion();
    if (schemaVersion === this.#schemaVersion) return false;
    const changed = this.adopt(run(this.#connection, readDeclarations(sqliteDialect)));
    this.#schemaVersion = schemaVersion;
    return changed;
  }
}
