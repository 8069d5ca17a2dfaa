/**
 * The documents, wherever they are: when they move to another engine, calls wait until the move is done or called off,
 * and go on there. So a move needs no restart, and no request fails because of it.
 */
import type Logger from 'bunyan';
import { closedError, EtagConflictError, StoreUnavailableError } from '#lib/documents/errors.ts';
import { type Fence, isAtWork, isSameState, type Moved, StoreMovedError } from '#lib/documents/moving/moved.ts';
import { parseDocument } from '#lib/documents/parse-document.ts';
import type {
  Bucket,
  Filter,
  KeptList,
  Query,
  ReadOptions,
  Scalar,
  ScanOptions,
  Store,
  Stored,
  Write,
  WriteOptions,
} from '#lib/documents/store.ts';
import { heeding } from '#lib/runtime/heeding.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { DatabaseType } from '../config/config.ts';
import { arriveAt } from './arrivals.ts';
import type { AlongWith } from './opening.ts';

/** One engine's documents. */
export interface Place {
  readonly type: DatabaseType;
  /** Moves before this one count for nothing any more: the documents have come back since. */
  readonly since: number;
  readonly store: Store;
  readonly fence: Fence;
}

/** The buckets are not opened yet. */
export type OpenPlace = (type: DatabaseType, since: number) => Promise<Place>;

export interface FollowingOptions {
  readonly first: Place;
  readonly open: OpenPlace;
  /** Default: nothing. */
  readonly alongWith?: AlongWith;
  readonly log: Logger;
  /** Milliseconds that a call waits for the end of a move. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;
const POLL_MS = 50;

export class FollowingStore implements Store {
  readonly #options: FollowingOptions;
  readonly #patienceMs: number;
  /** The one in use is the last. Calls to those before may still be under way. */
  readonly #places: Place[];
  #buckets: readonly Bucket[] = [];
  #following: Promise<void> | undefined;
  #tried: DatabaseType;
  #isClosed = false;

  constructor(options: FollowingOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#places = [options.first];
    this.#tried = options.first.type;
  }

  /** Where the documents are, as far as this process knows. */
  get place(): Place {
    return this.#places.at(-1) ?? this.#options.first;
  }

  /** The engine that was last tried: where they are, or where they have moved and could not be followed. */
  get tried(): DatabaseType {
    return this.#tried;
  }

  get buckets(): readonly Bucket[] {
    return this.#buckets;
  }

  /** Opens the documents of another engine, for somebody who moves them there. The caller closes it. */
  openOther(type: DatabaseType, since: number): Promise<Place> {
    return this.#options.open(type, since);
  }

  now(): number {
    return this.place.store.now();
  }

  open(buckets: readonly Bucket[]): Promise<void> {
    this.#buckets = buckets;
    return this.#call((store) => store.open(buckets));
  }

  get<T extends object>(bucket: Bucket<T>, key: string): Promise<Stored<T> | undefined> {
    return this.#call((store) => store.get(bucket, key));
  }

  kept<T extends object>(bucket: Bucket<T>, key: string): Stored<T> | undefined {
    return this.place.store.kept(bucket, key);
  }

  keptList<T extends object>(bucket: Bucket<T>, query: Query): KeptList<T> | undefined {
    return this.place.store.keptList(bucket, query);
  }

  getMany<T extends object>(bucket: Bucket<T>, keys: readonly string[]): Promise<Stored<T>[]> {
    return this.#call((store) => store.getMany(bucket, keys));
  }

  find<T extends object>(bucket: Bucket<T>, query: Query, options?: ReadOptions): Promise<Stored<T>[]> {
    return this.#call((store) => store.find(bucket, query, options), options?.signal);
  }

  async *scan<T extends object>(
    bucket: Bucket<T>,
    query: Query,
    options?: ScanOptions,
  ): AsyncGenerator<readonly Stored<T>[], void> {
    let left = query;
    for (;;) {
      const { place } = this;
      try {
        for await (const piece of place.store.scan(bucket, left, options)) {
          left = rest(left, piece);
          yield piece;
          if (left.limit === 0) return;
        }
        return;
      } catch (error) {
        await this.#follow(error, place, options?.signal);
      }
    }
  }

  count(bucket: Bucket, filter?: Filter, options?: ReadOptions): Promise<number> {
    return this.#call((store) => store.count(bucket, filter, options), options?.signal);
  }

  async batch(writes: readonly Write[], options?: WriteOptions): Promise<string[]> {
    const along = this.#options.alongWith ? writes.flatMap(this.#options.alongWith) : [];
    if (along.length === 0) return this.#write(writes, options);
    const etags = await this.#write([...writes, ...along], options);
    return etags.slice(0, writes.length);
  }

  settled(): Promise<void> {
    return this.#call((store) => store.settled());
  }

  ping(): Promise<void> {
    return this.#call((store) => store.ping());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#places.map(({ store }) => store.close()));
  }

  async #write(writes: readonly Write[], options?: WriteOptions): Promise<string[]> {
    const { place } = this;
    const asTheyAre = keep(writes);
    try {
      return await place.store.batch(writes, options);
    } catch (error) {
      const isConflict = error instanceof EtagConflictError && this.#places.length > 1;
      const translated = isConflict ? await this.#translated(asTheyAre()) : undefined;
      if (!translated) await this.#follow(error, place);
      return this.#write(translated ?? asTheyAre(), options);
    }
  }

  async #call<R>(body: (store: Store) => Promise<R>, signal?: AbortSignal): Promise<R> {
    for (;;) {
      const { place } = this;
      try {
        return await body(place.store);
      } catch (error) {
        await this.#follow(error, place, signal);
      }
    }
  }

  /** The writes with the etags that what was moved has here; undefined if that does not change them. */
  async #translated(writes: readonly Write[]): Promise<Write[] | undefined> {
    let isChanged = false;
    const translated: Write[] = [];
    for (const write of writes) {
      const { bucket, key, ifEtag } = write;
      const etag = typeof ifEtag === 'string' ? (await this.get(bucket, key))?.etag : undefined;
      const isOther = typeof ifEtag === 'string' && etag !== undefined && etag !== ifEtag && isSameState(etag, ifEtag);
      isChanged ||= isOther;
      translated.push(isOther ? { ...write, ifEtag: etag } : write);
    }
    return isChanged ? translated : undefined;
  }

  /**
   * Resolves when the same call may work.
   * @throws the error itself if that has nothing to do with a move; the reason of the signal
   */
  async #follow(error: unknown, from: Place, signal?: AbortSignal): Promise<void> {
    if (!(error instanceof StoreMovedError)) throw error;
    if (this.place !== from) return;
    this.#following ??= this.#followFrom(from).finally(() => {
      this.#following = undefined;
    });
    await heeding(this.#following, signal);
  }

  /** Goes where the documents have moved; stays if they have not. */
  async #followFrom(from: Place): Promise<void> {
    const next = await this.#after(from);
    this.#tried = (next ?? from).type;
    if (!next) return;
    if (this.#isClosed) {
      await next.store.close();
      throw closedError();
    }
    this.#places.push(next);
    this.#tell(next);
  }

  /** Where the documents have moved from a place, ready for use; undefined if they have not. */
  async #after(place: Place): Promise<Place | undefined> {
    const moved = await this.#settled(place);
    if (!moved) return undefined;
    this.#tried = moved.to as DatabaseType;
    const next = await this.#options.open(this.#tried, moved.epoch);
    try {
      const last = await this.#arrived(next, moved.nonce);
      if (last !== next) await next.store.close();
      return last;
    } catch (error) {
      await next.store.close();
      throw error;
    }
  }

  /** The place itself, or where they have moved on to meanwhile. */
  async #arrived(place: Place, nonce: string): Promise<Place> {
    for (;;) {
      if (this.#isClosed) throw closedError();
      try {
        await place.store.open(this.#buckets);
        await arriveAt(place.store, nonce);
        return place;
      } catch (error) {
        if (!(error instanceof StoreMovedError)) throw error;
      }
      const further = await this.#after(place);
      if (further) return further;
    }
  }

  /** Waits until a move is done or called off; undefined: called off. @throws StoreUnavailableError */
  async #settled({ fence, since }: Place): Promise<Moved | undefined> {
    const start = performance.now();
    for (;;) {
      const moved = await fence.read();
      if (!moved || moved.epoch < since) return undefined;
      if (moved.state === 'done') return moved;
      if (!isAtWork(moved, await fence.now())) {
        if (await fence.lift(moved)) {
          this.#options.log.warn(
            { moved },
            'the process that was moving the documents died; the old store is used again',
          );
        }
        return undefined;
      }
      if (performance.now() - start > this.#patienceMs || this.#isClosed) {
        throw new StoreUnavailableError(`the documents are being moved to "${moved.to}"`);
      }
      await pause(POLL_MS * (0.5 + Math.random()));
    }
  }

  #tell({ type }: Place): void {
    const { first, log } = this.#options;
    if (type === first.type) return;
    log.warn(
      { databaseType: type },
      `the documents have moved: set databaseType to "${type}" in the configuration, which still says "${first.type}"`,
    );
  }
}

/** Writes that may have to be made again: what counts is what they are now, whatever becomes of the caller's objects. */
function keep(writes: readonly Write[]): () => Write[] {
  const kept = writes.map((write) => ({
    write: { ...write },
    json: write.op === 'put' && JSON.stringify(write.value),
  }));
  return () =>
    kept.map(({ write, json }) => (write.op === 'put' ? { ...write, value: parseDocument(String(json)) } : write));
}

function isScalar(value: unknown): value is Scalar {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function rest<T extends object>(query: Query, piece: readonly Stored<T>[]): Query {
  const last = piece.at(-1);
  if (!last) return query;
  const value: unknown = query.sort && Reflect.get(last.value, query.sort.field);
  return {
    ...query,
    after: { key: last.key, value: isScalar(value) ? value : null },
    ...(query.limit !== undefined && { limit: query.limit - piece.length }),
  };
}
