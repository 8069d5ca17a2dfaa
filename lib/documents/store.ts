/**
 * Documents with Moray's semantics: buckets of JSON values under a string key, declared indexes, etag conditions,
 * and batches that are atomic over several buckets.
 *
 * The interface holds what Moray, PostgreSQL and SQLite can all promise. Callers ask for few round trips: what
 * belongs together is one `batch`, what is read together is one `getMany` or one `find`.
 *
 * Moray's etags are checksums of the content, so a value that goes 1 -> 2 -> 1 gets its old etag back. Two rules follow:
 * every value that is written under a condition carries a counter of its own, and an etag is opaque.
 */

/** What a declared index holds. Values outside the type are refused by `batch` with {@link InvalidValueError}. */
export type IndexType = 'string' | 'number' | 'boolean';

export interface IndexSpec {
  readonly type: IndexType;
  /** The field is an array of `type`; equality is then written `contains`. */
  readonly array?: boolean;
  /** No two objects of the bucket hold the same value; objects without the field do not collide. Not for arrays. */
  readonly unique?: boolean;
  /** The field has few distinct values (a state, a type): a hint for backends that choose between indexes. */
  readonly few?: boolean;
  /**
   * Few objects have the field: a hint, as `together` is one. Its indexes have only those objects in them, so that `exists`
   * finds them however many others there are. Neither for arrays nor for unique fields.
   */
  readonly sparse?: boolean;
  /** The field is searched for parts of its text (`substring`): a hint, as `together` is one. Not for arrays. */
  readonly substrings?: boolean;
}

/**
 * A bucket: its name, its indexed fields, and the version of this declaration. A higher version adds, drops or retypes
 * indexes (existing rows are re-indexed before the first answer). A version lower than the stored one is ignored, so that
 * an older process beside a newer one does not undo its indexes.
 */
export interface Bucket<T extends object = object> {
  readonly name: string;
  readonly version: number;
  readonly index: Readonly<Record<string, IndexSpec>>;
  /**
   * Fields that are filtered and sorted together; a hint for backends that can build such an index. An array field may
   * come first, followed by one scalar: objects that contain a value are then read in the order of the scalar. So may a
   * sparse field: objects that have it are then found by the others. Changed hints take effect with the next version.
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
 * A condition on indexed fields. A field without an index is a {@link NotIndexedError}, never a scan; so is a comparison
 * that the field's index cannot answer (an order of booleans, part of a number, equality with an array). A value that is
 * not of the field's type is an {@link InvalidValueError}; a text that no index can hold (see `batch`) equals nothing.
 * Texts are ordered by their bytes in UTF-8.
 */
export type Filter =
  | { readonly op: 'eq'; readonly field: string; readonly value: Scalar }
  | { readonly op: 'in'; readonly field: string; readonly values: readonly Scalar[] }
  | { readonly op: 'lt' | 'le' | 'gt' | 'ge'; readonly field: string; readonly value: Scalar }
  /** The string field contains `value`; `%` and `_` stand for themselves. */
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
  /** Maximum number of objects; absent means all. Must be positive. */
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
      /**
       * For an object that comes from another store: it keeps its etag, or has it behind a dot at the end of its own, so
       * that who read it there can write to it here; and it keeps its time if the backend can set one.
       */
      readonly as?: Pick<Stored<object>, 'etag' | 'mtime'>;
    }
  | { readonly op: 'del'; readonly bucket: Bucket; readonly key: string; readonly ifEtag?: string };

export interface WriteOptions {
  /** The batch frees space here or elsewhere, so it is written even if the store is full; so is a batch of dels only. */
  readonly frees?: boolean;
}

export interface ReadOptions {
  /** An abort ends the read with its reason, even in the middle of a long search. */
  readonly signal?: AbortSignal | undefined;
}

export interface ScanOptions extends ReadOptions {
  /**
   * Only keys, etags and times are wanted, of a scan without `sort`. A backend that can spare reading the values leaves them out, so
   * `value` says nothing, and must not be looked at.
   */
  readonly withoutValues?: boolean;
}

/** For functions that need nothing of the service but its documents. */
export interface WithStore {
  readonly store: Store;
}

/** An answer to a query that is in memory. It is the same object as long as no write could have changed the answer. */
export interface KeptList<T extends object> {
  /** Undefined if not all of them are in memory any more: then the list has to be found again. */
  documents(): readonly Stored<T>[] | undefined;
}

/**
 * A failure without an error class of its own in `errors.ts` is a {@link StoreUnavailableError} with the backend's error
 * as its cause: the same call may work later. A batch that failed this way may or may not have been written.
 */
export interface Store {
  /**
   * Milliseconds since the epoch by the clock of the database, which all its processes share. Times that one process
   * writes and another compares (leases, expiries) use this clock, never a process's own. So does `Stored.mtime`.
   */
  now(): number;
  /** Creates or upgrades the buckets. Several processes may do this at the same time. */
  open(buckets: readonly Bucket[]): Promise<void>;
  /** Undefined when there is no such key. The value may be shared, and is frozen then: copy before changing. */
  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined>;
  /**
   * What `get` would find, if that is in memory and can be told without waiting. Undefined says nothing: then `get` has to
   * be asked.
   */
  kept<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined;
  /** The same for a short list: what `find` would find, or undefined. */
  keptList<T extends object>(bucket: Bucket<T>, query: Query): KeptList<T> | undefined;
  /** The objects of those keys that exist, each once, in no particular order, all as of one moment. */
  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]>;
  /** The whole answer in one array, for answers that are known to be short. Does not block the event loop. */
  find<T extends object>(bucket: Bucket<T>, query: Query, options?: ReadOptions): Promise<Stored<T>[]>;
  /**
   * The same answer in pieces, read on demand, in memory that does not grow with its length: for answers that may be
   * long. No piece is empty. An object that is written or removed meanwhile may be included or not; every other object is
   * included exactly once. The values must not be changed.
   */
  scan<T extends object>(bucket: Bucket<T>, query: Query, options?: ScanOptions): AsyncIterable<readonly Stored<T>[]>;
  count(bucket: Bucket, filter?: Filter, options?: ReadOptions): Promise<number>;
  /**
   * Carries out all of the writes, in order, or none; returns the etag of each put ('' for a del). Deleting an absent key
   * is no error unless `ifEtag` is given. When the promise resolves, the batch is durable and visible to all later reads.
   * Keys and indexed texts must not contain NUL or unpaired surrogates, and a key must not be empty. A value is a JSON
   * object; what counts is its state at the moment of the call.
   * @throws EtagConflictError, UniqueAttributeError, InvalidValueError, StoreUnavailableError, StoreFullError
   */
  batch(writes: readonly Write[], options?: WriteOptions): Promise<string[]>;
  /**
   * Resolves when all that reads have shown so far is durable. Some backends show a batch a moment before its promise resolves:
   * whoever is told that nothing is left to do has to be able to rely on it.
   * @throws StoreUnavailableError
   */
  settled(): Promise<void>;
  /** @throws StoreUnavailableError when a write would fail */
  ping(): Promise<void>;
  /** Closes once the writes under way are done. Later calls reject with {@link StoreUnavailableError}. */
  close(): Promise<void>;
}
