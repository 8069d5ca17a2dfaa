/**
 * Whether a store in use is still the one that was opened. A bucket may be deleted, or a disk that was mounted be gone
 * from its folder: what is there then knows no object, which must not be taken for the loss of each, and takes new ones,
 * which nobody would find once the store is back.
 */
import { hasCode } from '../runtime/absence.ts';
import { ObjectStoreUnavailableError } from './errors.ts';

/** Milliseconds. */
const GOOD_FOR = 1000;

export class SameStore {
  readonly #name: string;
  readonly #read: () => Promise<string>;
  #opened: string | undefined;
  #seen = Number.NEGATIVE_INFINITY;

  constructor(name: string, read: () => Promise<string>) {
    this.#name = name;
    this.#read = read;
  }

  /** The first that is asked for is that of the store that was opened. @throws ObjectStoreUnavailableError for another */
  async identity(): Promise<string> {
    const at = performance.now();
    const found = await this.#read().catch((error: unknown) => {
      // Not even the folders are there in which a new one is made.
      if (this.#opened !== undefined && hasCode(error, 'ENOENT')) throw this.#replaced('none', error);
      throw error;
    });
    this.#opened ??= found;
    if (found !== this.#opened) throw this.#replaced(found);
    this.#seen = at;
    return found;
  }

  /** What the operation found, if that is something. @throws ObjectStoreUnavailableError rather than that nothing is there */
  async orAbsent<T>(operation: Promise<T>, isAbsent: (error: unknown) => boolean): Promise<T> {
    try {
      const found = await operation;
      if (found === undefined) await this.#assert();
      return found;
    } catch (error) {
      if (isAbsent(error)) await this.#assert();
      throw error;
    }
  }

  /** For what writes, which is too often to ask each time. */
  async assertRecently(): Promise<void> {
    if (performance.now() - this.#seen > GOOD_FOR) await this.#assert();
  }

  #replaced(found: string, cause?: unknown): Error {
    return new ObjectStoreUnavailableError(
      `the object store "${this.#name}" was replaced while in use (identity ${found}, was ${this.#opened}): bring back ` +
        'what was there, such as its bucket or the disk that was mounted, or restart the service',
      { cause },
    );
  }

  async #assert(): Promise<void> {
    if (this.#opened !== undefined) await this.identity();
  }
}
