/**
 * Whether the files of a database still have their names. SQLite goes on with open files that were removed or replaced
 * under it: what is written then is acknowledged, and gone when the process ends.
 */
import { statSync } from 'node:fs';
import { StoreUnavailableError } from '../errors.ts';

export class FilesInPlace {
  readonly #files: readonly { readonly path: string; readonly id: string }[];

  /** To be made when the database is open, for only then is its log there. */
  constructor(database: string) {
    this.#files = [database, `${database}-wal`].map((path) => ({ path, id: idOf(path) }));
  }

  /** @throws StoreUnavailableError */
  assert(): void {
    const moved = this.#files.find(({ path, id }) => idOf(path) !== id);
    if (moved !== undefined) {
      throw new StoreUnavailableError(
        `${moved.path} was removed or replaced while it was in use: put it back, or restart the service on what is there`,
      );
    }
  }
}

function idOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? 'none' : `${found.dev}.${found.ino}`;
}
