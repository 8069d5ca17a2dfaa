/** Parsed documents, so that what is read often is parsed once. */
import { deepFreeze } from '../freeze.ts';
import { LruMap } from '../lru.ts';
import type { Stored } from '../store.ts';

/** Characters of JSON to keep: some ten thousand images. */
export const CACHE_CHARACTERS = 24 * 1024 * 1024;

/**
 * The documents by etag. An etag names one state of one document for ever (see `etags.ts`), so nothing here can be
 * out of date: the current etag is read from the database each time.
 */
export class Documents {
  readonly #byEtag: LruMap<string, Stored<object>>;

  /** @param characters the sum of the lengths of the JSON texts to keep */
  constructor(characters: number) {
    this.#byEtag = new LruMap(characters);
  }

  /** Parses the document in that state, and keeps it. */
  parse(key: string, etag: string, mtime: number, json: string): Stored<object> {
    const stored = Object.freeze({ key, value: deepFreeze<object>(JSON.parse(json)), etag, mtime });
    this.#byEtag.set(etag, stored, json.length);
    return stored;
  }

  cached(etag: string): Stored<object> | undefined {
    return this.#byEtag.get(etag);
  }

  /** Nobody will ask for that state again. */
  forget(etag: string): void {
    this.#byEtag.delete(etag);
  }
}
