import { assertHere, type Place } from '../moving/moved.ts';
import { Buckets } from '../sql/buckets.ts';
import type { SqlDialect } from '../sql/dialect.ts';
import { behindFence, readMoved } from '../sql/moved-table.ts';
import { readDeclarations } from '../sql/schema.ts';
import type { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import { run } from './run.ts';

/** Buckets that use SQLite's schema version to notice what other processes declare. */
export class SqliteBuckets extends Buckets {
  readonly #connection: Connection;
  readonly #dialect: SqlDialect;
  readonly #place: Place;
  #schemaVersion: unknown;

  constructor(connection: Connection, warn: (fields: object, message: string) => void, place: Place) {
    const dialect = place === 'behind-fence' ? behindFence(sqliteDialect) : sqliteDialect;
    super(dialect, warn);
    this.#dialect = dialect;
    this.#connection = connection;
    this.#place = place;
  }

  /**
   * Checks whether another process has changed the schema; returns whether a bucket has other tables than before.
   * @throws StoreMovedError
   */
  refresh(): boolean {
    const schemaVersion = this.#connection.schemaVersion();
    if (schemaVersion === this.#schemaVersion) return false;
    const moved = run(this.#connection, readMoved(sqliteDialect));
    assertHere(moved, this.#place);
    const changed = this.adopt(run(this.#connection, readDeclarations(this.#dialect)));
    this.#schemaVersion = schemaVersion;
    return changed;
  }
}
