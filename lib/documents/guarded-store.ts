/** The document store as callers see it: a backend, plus everything that is the same for all backends. */
import { type OperationObserver, observed, UNOBSERVED } from '../runtime/operation-observer.ts';
import type { DocumentBackend } from './backend.ts';
import { checkDeclaration } from './declaration.ts';
import { InvalidValueError } from './errors.ts';
import { isIndexableText } from './index-value.ts';
import type {
  Bucket,
  Filter,
  KeptList,
  Query,
  ReadOptions,
  ScanOptions,
  Store,
  Stored,
  Write,
  WriteOptions,
} from './store.ts';

/** One of this many `get`s is timed: reading the clock twice takes a good part of the time of a `get`. */
const TIMED_EVERY = 64;

export function guardStore(backend: DocumentBackend, observer: OperationObserver = UNOBSERVED): Store {
  return new GuardedStore(backend, observer);
}

export class GuardedStore implements Store {
  readonly #backend: DocumentBackend;
  readonly #observer: OperationObserver;
  /** Number of `get`s since the last timed one. */
  #gets = 0;

  constructor(backend: DocumentBackend, observer: OperationObserver) {
    this.#backend = backend;
    this.#observer = observer;
  }

  now(): number {
    return this.#backend.now();
  }

  open(buckets: readonly Bucket[]): Promise<void> {
    return this.#run('open', () => {
      for (const bucket of buckets) checkDeclaration(bucket);
      return this.#backend.open(buckets);
    });
  }

  async get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    this.#gets += 1;
    if (this.#gets >= TIMED_EVERY) return this.#timedGet(bucket, key);
    try {
      const found = this.#backend.get(bucket, key);
      return found instanceof Promise ? await found : found;
    } catch (error) {
      throw this.#failed('get', error);
    }
  }

  kept<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined {
    // The timed one is a `get`.
    if (this.#gets + 1 >= TIMED_EVERY) return undefined;
    try {
      const found = this.#backend.kept?.(bucket, key);
      if (found) this.#gets += 1;
      return found;
    } catch {
      // `get` meets the same fault, and knows how to go on.
      return undefined;
    }
  }

  keptList<T extends object>(bucket: Bucket<T>, query: Query): KeptList<T> | undefined {
    const start = performance.now();
    try {
      check(query, {});
      const found = this.#backend.keptList?.(bucket, query);
      if (found) this.#succeeded('scan', start);
      return found;
    } catch {
      return undefined;
    }
  }

  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    return this.#run('getMany', async () => {
      // No document can have any other key, and not every backend accepts one in a query.
      const possible = keys.filter(isIndexableText);
      return possible.length === 0 ? [] : this.#backend.getMany(bucket, possible);
    });
  }

  find<T extends object>(bucket: Bucket<T>, query: Query, options: ReadOptions = {}): Promise<Stored<T>[]> {
    return this.#run('find', async () => {
      check(query, options);
      const found: Stored<T>[] = [];
      for await (const some of this.#backend.scan(bucket, query, options)) found.push(...some);
      return found;
    });
  }

  async *scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    options: ScanOptions = {},
  ): AsyncGenerator<readonly Stored<T>[], void> {
    let start = performance.now();
    try {
      check(query, options);
      for await (const some of this.#backend.scan(bucket, query, options)) {
        this.#succeeded('scan', start);
        yield some;
        start = performance.now();
      }
    } catch (error) {
      throw this.#failed('scan', error);
    }
  }

  count(bucket: Bucket, filter?: Filter, options: ReadOptions = {}): Promise<number> {
    return this.#run('count', () => {
      options.signal?.throwIfAborted();
      return this.#backend.count(bucket, filter, options);
    });
  }

  batch(writes: readonly Write[], options: WriteOptions = {}): Promise<string[]> {
    return this.#run('batch', async () => {
      if (writes.length === 0) return [];
      for (const write of writes) assertKey(write);
      const frees = options.frees === true || writes.every(({ op }) => op === 'del');
      return this.#backend.batch(writes, { frees });
    });
  }

  async settled(): Promise<void> {
    try {
      await this.#backend.settled?.();
    } catch (error) {
      throw this.#failed('settled', error);
    }
  }

  ping(): Promise<void> {
    return this.#run('ping', () => this.#backend.ping());
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  async #timedGet<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    const start = performance.now();
    const count = this.#gets;
    this.#gets = 0;
    try {
      const found = await this.#backend.get(bucket, key);
      this.#succeeded('get', start, count);
      return found;
    } catch (error) {
      throw this.#failed('get', error);
    }
  }

  #run<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return observed(this.#observer, operation, call, (error) => this.#backend.explain(error));
  }

  #succeeded(operation: string, start: number, count = 1): void {
    this.#observer.succeeded(operation, (performance.now() - start) / 1000, count);
  }

  #failed(operation: string, error: unknown): unknown {
    const explained = this.#backend.explain(error);
    this.#observer.failed(operation, explained);
    return explained;
  }
}

function check({ limit }: Query, { signal }: ReadOptions): void {
  signal?.throwIfAborted();
  if (limit === undefined || (Number.isSafeInteger(limit) && limit > 0)) return;
  throw new RangeError(`limit must be a positive integer, not ${limit}`);
}

function assertKey({ bucket, key }: Write): void {
  if (key !== '' && isIndexableText(key)) return;
  throw new InvalidValueError(bucket.name, '_key', 'a non-empty string without NUL characters or unpaired surrogates');
}
