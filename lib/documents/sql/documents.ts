/** A cache of parsed documents, so that what is read often is parsed once. */
import { LRUCache } from 'lru-cache';
import { deepFreeze } from '../deep-freeze.ts';
import { parseDocument } from '../parse-document.ts';
import type { Stored } from '../store.ts';
import { AskedBefore } from './asked-before.ts';

/** Bytes of documents to keep: about ten thousand documents of two thousand characters. */
export const CACHE_BYTES = 36 * 1024 * 1024;
/** Bytes per character of JSON: in the document, in the answer rendered from it, and in that of lists. */
const BYTES_OF_CHARACTER = 3;
/** Fixed overhead of a document, in bytes. */
const WEIGHT = 500;

/**
 * Documents by etag. An etag identifies one state of one document forever (see `etags.ts`), so nothing here can be out of
 * date: the current etag is read from the database each time.
 */
export class Documents {
  readonly #byEtag: LRUCache<string, Stored<object>>;
  readonly #asked = new AskedBefore();

  /** @param bytes to keep, approximately; a document of more than half of that is never kept */
  constructor(bytes: number) {
    this.#byEtag = new LRUCache({ maxSize: bytes, maxEntrySize: bytes / 2 });
  }

  /** Parses the document in that state, and keeps it: as long as there is room, or if it is parsed again. */
  parse(key: string, etag: string, mtime: number, json: string): Stored<object> {
    const value = parseDocument(json);
    const size = json.length * BYTES_OF_CHARACTER + WEIGHT;
    const hasRoom = this.#byEtag.calculatedSize + size <= this.#byEtag.maxSize;
    if (!hasRoom && !this.#asked.isAgain(etag)) return { key, value, etag, mtime };
    const stored = Object.freeze({ key, value: deepFreeze<object>(value), etag, mtime });
    this.#byEtag.set(etag, stored, { size });
    return stored;
  }

  cached(etag: string): Stored<object> | undefined {
    return this.#byEtag.get(etag);
  }

  /** Drops a state that nobody will ask for again. */
  forget(etag: string): void {
    this.#byEtag.delete(etag);
  }
}
