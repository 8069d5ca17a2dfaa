/**
 * What a backend of the document store has to bring. `guardStore` makes a {@link Store} of it, which checks what it is
 * given, names errors and tells how long things took; so a backend may rely on this:
 *
 * * Declarations of buckets are valid, and so are limits of queries and keys of writes.
 * * A batch has writes, `frees` says whether all it does is free space, and signals have not aborted yet.
 *
 * All else that `store.ts` says of a call, and the conformance suite asks for, is the backend's.
 */
import type { Bucket, Query, ReadOptions, Store, Stored, Write } from './store.ts';

type AsInStore = Pick<Store, 'now' | 'open' | 'getMany' | 'scan' | 'count' | 'ping' | 'close'>;

export interface DocumentBackend extends AsInStore {
  /** Of the engine, for metrics. */
  readonly name: string;
  /** The error for the caller: what only this backend can tell as one of `errors.ts`, anything else as it is. */
  explain(error: unknown): unknown;
  /** At once where the backend can: the hottest call has no promise beyond the one that its caller gets. */
  get<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined | Promise<Stored<T> | undefined>;
  scan<T extends object>(bucket: Bucket<T>, query: Query, options: ReadOptions): AsyncIterable<readonly Stored<T>[]>;
  /** What the writes are is settled when this returns: their owner may change its objects afterwards. */
  batch(writes: readonly Write[], options: { readonly frees: boolean }): Promise<string[]>;
}
