/**
 * Checks that the files of a database still have their names. SQLite keeps using open files that were removed or
 * replaced: writes are then acknowledged, but lost when the process ends.
 */
import { statSync } from 'node:fs';
import { StoreUnavailableError } from '../errors.ts';

export class FilesInPlace {
  readonly #files: readonly { readonly path: string; readonly id: string }[];

  /** Create this only when the database is open, because only then does its log exist. */
  constructor(database: string) {
    this.#files = [database, `${database}-wal`].map((path) => ({ path, id: idOf(path) }));
  }

  /** @throws StoreUnavailableError */
  assert(): void {
    const moved = this.#files.find(({ path, id }) => idOf(path) !== id);
    if (moved !== undefined) {
      throw new StoreUnavailableError(
        `${moved.path} was removed or replaced while in use: put it back, or restart the service to use what is there now`,
      );
    }
  }
}

function idOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? 'none' : `${found.dev}.${found.ino}`;
}
