/** Parsed documents, so that what is read often is parsed once. */
import { LRUCache } from 'lru-cache';
import type { Stored } from '../store.ts';

/** Bytes of documents to keep: ten thousand of two thousand characters or so. */
export const CACHE_BYTES = 36 * 1024 * 1024;
/** What a character of JSON comes to: in the document, in the answer that was made of it, and in that of lists. */
const BYTES_OF_CHARACTER = 3;
/** What a document counts for besides. */
const WEIGHT = 500;

/**
 * The documents by etag. An etag names one state of one document for ever (see `etags.ts`), so nothing here can be
 * out of date: the current etag is read from the database each time.
 */
export class Documents {
  readonly #byEtag: LRUCache<string, Stored<object>>;

  /** @param bytes to keep, about; a document of more than half of them is never kept */
  constructor(bytes: number) {
    this.#byEtag = new LRUCache({ maxSize: bytes, maxEntrySize: bytes / 2 });
  }

  /** Parses the document in that state, and keeps it. */
  parse(key: string, etag: string, mtime: number, json: string): Stored<object> {
    const stored = Object.freeze({ key, value: deepFreeze<object>(JSON.parse(json)), etag, mtime });
    this.#byEtag.set(etag, stored, { size: json.length * BYTES_OF_CHARACTER + WEIGHT });
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

/** Freezes a JSON value and everything in it, so that one parsed document can be shared by all its readers. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) {
      deepFreeze(part);
    }
    Object.freeze(value);
  }
  return value;
}
