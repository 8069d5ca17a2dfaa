/**
 * Documents with Moray's semantics: buckets of JSON values under a string key, declared indexes, etag conditions,
 * and batches that are atomic over several buckets.
 *
 * The interface holds what Moray, PostgreSQL and SQLite can all promise. Callers ask for few round trips: what
 * belongs together is one `batch`, what is read together is one `getMany` or one `find`.
 *
 * Two rules come from Moray itself (its etags are a checksum of the content, so a value that goes 1 -> 2 -> 1 gets its
 * old etag back): every value that is written under a condition carries a counter of its own, and an etag is opaque.
 */

/** What a declared index holds. Values outside the type are refused by `batch` with {@link InvalidValueError}. */
export type IndexType = 'string' | 'number' | 'boolean';

export interface IndexSpec {
  readonly type: IndexType;
  /** The field is an array of `type`; equality is then written `contains`. */
  readonly array?: boolean;
  /** No two objects of the bucket hold the same value; objects without the field do not collide. */
  readonly unique?: boolean;
  /** The field has few different values (a state, a type): a hint for backends that choose between indexes. */
  readonly few?: boolean;
}

/**
 * A bucket: its name, its indexed fields, and the version of that declaration. A higher version adds, drops or
 * retypes indexes (existing rows are re-indexed before the first answer); a lower one than the stored is ignored, so
 * that an older process beside a newer one does not undo its indexes.
 */
export interface Bucket<T extends object = object> {
  readonly name: string;
  readonly version: number;
  readonly index: Readonly<Record<string, IndexSpec>>;
  /**
   * Fields that are filtered and sorted together; a hint for backends that can build such an index. An array field may
   * come first, with one scalar behind it: what contains a value is then read in the order of the scalar. Changed hints
   * take effect with the next version.
   */
  readonly together?: readonly (readonly string[])[];
  /** Carries T through the type system; never set. */
  readonly _value?: T;
}

export interface Stored<T> {
  readonly key: string;
  readonly value: T;
  readonly etag: string;
  /** Milliseconds since the epoch of the last write. */
  readonly mtime: number;
}

export type Scalar = string | number | boolean;

/**
 * A condition on indexed fields. A field that no index declares is a {@link NotIndexedError}, never a scan; and so is a
 * comparison that the field's index cannot answer (an order of booleans, a part of a number, equality with an array). A
 * value that is not of the field's type is an {@link InvalidValueError}; a text that no index can hold (see `batch`)
 * equals nothing. Texts are ordered by their bytes in UTF-8.
 */
export type Filter =
  | { readonly op: 'eq'; readonly field: string; readonly value: Scalar }
  | { readonly op: 'in'; readonly field: string; readonly values: readonly Scalar[] }
  | { readonly op: 'lt' | 'le' | 'gt' | 'ge'; readonly field: string; readonly value: Scalar }
  /** The string field holds `value` somewhere; `%` and `_` stand for themselves. */
  | { readonly op: 'substring'; readonly field: string; readonly value: string }
  /** The array field holds `value`. */
  | { readonly op: 'contains'; readonly field: string; readonly value: Scalar }
  /** The array field holds a value that begins with `value`. */
  | { readonly op: 'containsPrefix'; readonly field: string; readonly value: string }
  | { readonly op: 'exists'; readonly field: string }
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  /** True also where the field is absent. */
  | { readonly op: 'not'; readonly of: Filter };

export interface Query {
  /** Absent: every object. An empty `and` is true, an empty `or` is false. */
  readonly filter?: Filter;
  /**
   * One indexed scalar field; an object without it sorts before every value. Ties are ordered by key, in the same
   * direction. Without `sort` the order is by key, ascending.
   */
  readonly sort?: { readonly field: string; readonly order: 'asc' | 'desc' };
  /** Keyset cursor: only what comes strictly after this place in the order. `value` is the sort field's, or null. */
  readonly after?: { readonly value: Scalar | null; readonly key: string };
  /** Objects at the most; absent means all. Must be positive. */
  readonly limit?: number;
}

/** `ifEtag` absent: unconditional. `null`: the key must not exist. A string: it must be the current etag. */
export type Write =
  | {
      readonly op: 'put';
      readonly bucket: Bucket;
      readonly key: string;
      readonly value: object;
      readonly ifEtag?: string | null;
    }
  | { readonly op: 'del'; readonly bucket: Bucket; readonly key: string; readonly ifEtag?: string };

export interface WriteOptions {
  /** The batch frees space here or elsewhere: it is written also when the store is full. So is one of dels only. */
  readonly frees?: boolean;
}

export interface ReadOptions {
  /** Its abort ends the read with its reason, also in the middle of a long search. */
  readonly signal?: AbortSignal | undefined;
}

/** Whatever has documents: what is taken by those who need nothing else of the service. */
export interface WithStore {
  readonly store: Store;
}

/**
 * A failure that has no error of its own in `errors.ts` is a {@link StoreUnavailableError}, with what the backend said as
 * its cause: the same call may work later. Of a batch that failed so nobody can tell whether it was written.
 */
export interface Store {
  /**
   * Milliseconds since the epoch by the clock of the database, which all processes on it share: whatever one writes
   * down for another to judge (leases, expiries) is by this clock and by no process's own. `Stored.mtime` is by it too.
   */
  now(): number;
  /** Creates or upgrades the buckets. Safe when several processes do it at once. */
  open(buckets: readonly Bucket[]): Promise<void>;
  /** Undefined when there is no such key. The value is shared and frozen: copy before changing. */
  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined>;
  /** Those of the keys that exist, each once, in no particular order and all of one moment. */
  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]>;
  /** The whole answer at once: for what is known to be little. Reads nothing that holds the event loop up. */
  find<T extends object>(bucket: Bucket<T>, query: Query, options?: ReadOptions): Promise<Stored<T>[]>;
  /**
   * The same answer bit by bit, in memory that does not grow with its length, read as it is asked for: for whatever may
   * be long. No bit is empty. What is written meanwhile may be in it or not; what is neither written nor removed is in
   * it exactly once. The values are not to be changed.
   */
  scan<T extends object>(bucket: Bucket<T>, query: Query, options?: ReadOptions): AsyncIterable<readonly Stored<T>[]>;
  count(bucket: Bucket, filter?: Filter, options?: ReadOptions): Promise<number>;
  /**
   * All of the writes or none, in order; answers the etag of each put (a del answers ''). Deleting an absent key is
   * no error unless `ifEtag` was given. Durable when the promise resolves, and seen by whatever is read from then on.
   * Keys and indexed texts have no NUL and no half of a surrogate pair, a key at least one character; a value is a JSON
   * object, as it is at the moment of the call.
   * @throws EtagConflictError, UniqueAttributeError, InvalidValueError, StoreUnavailableError, StoreFullError
   */
  batch(writes: readonly Write[], options?: WriteOptions): Promise<string[]>;
  /** @throws StoreUnavailableError when a write would fail */
  ping(): Promise<void>;
  /** After the writes under way. What is asked from then on is a {@link StoreUnavailableError}. */
  close(): Promise<void>;
}
