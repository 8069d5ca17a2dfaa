/**
 * What a backend of the document store must implement. `guardStore` turns it into a {@link Store}: it checks arguments,
 * names errors and measures times. So a backend may rely on this:
 *
 * * Bucket declarations, limits of queries and keys of writes are valid.
 * * A batch is not empty, `frees` says whether it only frees space, and signals have not aborted yet.
 *
 * Everything else that `store.ts` promises and the conformance suite checks is up to the backend.
 */
import type { Bucket, KeptList, Query, ScanOptions, Store, Stored, Write } from './store.ts';

type AsInStore = Pick<Store, 'now' | 'open' | 'getMany' | 'scan' | 'count' | 'ping' | 'close'>;

export interface DocumentBackend extends AsInStore {
  /** Name of the engine, for metrics. */
  readonly name: string;
  /** The error to throw: what only this backend can recognise becomes one of `errors.ts`; anything else is unchanged. */
  explain(error: unknown): unknown;
  /** Synchronous if the backend can: this is the hottest call, so it should need no extra promise. */
  get<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined | Promise<Stored<T> | undefined>;
  /** For a backend that keeps documents, and can tell synchronously whether one is out of date. May throw. */
  kept?<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined;
  /** The same for lists. */
  keptList?<T extends object>(bucket: Bucket<T>, query: Query): KeptList<T> | undefined;
  scan<T extends object>(bucket: Bucket<T>, query: Query, options: ScanOptions): AsyncIterable<readonly Stored<T>[]>;
  /** Must read the writes before it returns: the caller may change its objects afterwards. */
  batch(writes: readonly Write[], options: { readonly frees: boolean }): Promise<string[]>;
  /** For a backend whose reads show what is not durable yet. Undefined if all of it is. */
  settled?(): Promise<void> | undefined;
}
