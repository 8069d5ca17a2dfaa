/** Moray's calls, as far as they are used, as promises. */
import type { Client, Done } from 'moray';
import { answered, type MorayObject, records } from './connection.ts';
import type { Connections } from './connections.ts';
import { MorayError } from './failure.ts';
import type { MorayIndexes } from './layout.ts';

export interface BucketConfig {
  readonly index: MorayIndexes;
  readonly options: { readonly version?: number };
  /** By version: the fields that are not in every row's index yet. */
  readonly reindex_active?: Readonly<Record<string, readonly string[]>>;
}

export interface Sort {
  readonly attribute: string;
  readonly order: 'ASC' | 'DESC';
}

export interface FindOptions {
  /** Positive: 0 would mean Moray's default. */
  readonly limit: number;
  readonly sort?: readonly Sort[];
  readonly count?: boolean;
}

export type Operation = { readonly bucket: string } & (
  | {
      readonly operation: 'put';
      readonly key: string;
      readonly value: Readonly<Record<string, unknown>>;
      readonly options: { readonly etag?: string | null };
    }
  | { readonly operation: 'delete'; readonly key: string; readonly options: { readonly etag: string } }
  | { readonly operation: 'deleteMany'; readonly filter: string; readonly options: { readonly limit: number } }
);

/** Milliseconds that each write of a batch may take in addition: Moray carries them out one by one. */
const WRITE_MS = 10;
/** Milliseconds for what changes a table. */
const SLOW_MS = 120_000;

export class MorayCalls {
  readonly #connections: Connections;
  readonly #patience: number;

  constructor(connections: Connections, patience: number) {
    this.#connections = connections;
    this.#patience = patience;
  }

  async get(bucket: string, key: string): Promise<MorayObject | undefined> {
    try {
      const found = await this.#connections.call(
        (client) => answered((done) => client.getObject(bucket, key, {}, done)),
        { reads: true },
      );
      return found as MorayObject;
    } catch (error) {
      if (isNamed(error, 'ObjectNotFoundError')) return undefined;
      throw error;
    }
  }

  /** A server may know the bucket as it was a few minutes ago, so what has no index is asked for without its cache. */
  async find(bucket: string, filter: string, options: FindOptions, signal?: AbortSignal): Promise<MorayObject[]> {
    const { count = false, ...rest } = options;
    const find = (more: object): Promise<MorayObject[]> =>
      this.#connections.call(
        (client) => records<MorayObject>(client.findObjects(bucket, filter, { ...rest, ...more, no_count: !count })),
        { reads: true, signal },
      );
    try {
      return await find({});
    } catch (error) {
      if (!isNamed(error, 'NotIndexedError')) throw error;
      return find({ noBucketCache: true });
    }
  }

  /** The etags, in order; '' for what was deleted. */
  async batch(operations: readonly Operation[]): Promise<string[]> {
    const answer = await this.#connections.call(
      // The client adds to the operations, and a call that was not sent is made again.
      (client) =>
        answered((done) =>
          client.batch(
            operations.map((operation) => ({ ...operation })),
            {},
            done,
          ),
        ),
      { patience: this.#patience + operations.length * WRITE_MS },
    );
    const { etags } = answer as { readonly etags: readonly { readonly etag?: string }[] };
    return etags.map(({ etag = '' }) => etag);
  }

  async getBucket(bucket: string): Promise<BucketConfig | undefined> {
    try {
      const config = await this.#connections.call((client) => answered((done) => client.getBucket(bucket, {}, done)), {
        reads: true,
      });
      return config as BucketConfig;
    } catch (error) {
      if (isNamed(error, 'BucketNotFoundError')) return undefined;
      throw error;
    }
  }

  async createBucket(bucket: string, index: MorayIndexes, version: number): Promise<void> {
    await this.#slow((client, done) => client.createBucket(bucket, { index, options: { version } }, {}, done));
  }

  async updateBucket(bucket: string, index: MorayIndexes, version: number): Promise<void> {
    await this.#slow((client, done) => client.updateBucket(bucket, { index, options: { version } }, {}, done));
  }

  /** How many rows it has brought up to the bucket's version; 0 when there are no more. */
  async reindex(bucket: string, count: number): Promise<number> {
    const answer = await this.#slow((client, done) => client.reindexObjects(bucket, count, {}, done));
    return (answer as { readonly processed: number }).processed;
  }

  async ping(): Promise<void> {
    await this.#connections.call((client) =>
      answered((done) => client.ping({ deep: true, timeout: this.#patience }, done)),
    );
  }

  /** Milliseconds since the epoch by the database's clock. */
  async now(): Promise<number> {
    const statement = 'select extract(epoch from clock_timestamp()) * 1000 as now';
    const [row] = await this.#connections.call(
      (client) => records<{ readonly now: unknown }>(client.sql(statement, [], {})),
      { reads: true },
    );
    const now = Number(row?.now);
    if (!Number.isFinite(now)) throw new MorayError(new Error('Moray does not tell the time'));
    return now;
  }

  #slow(call: (client: Client, done: Done) => void): Promise<unknown> {
    return this.#connections.call((client) => answered((done) => call(client, done)), { patience: SLOW_MS });
  }
}

function isNamed(error: unknown, kind: string): error is MorayError {
  return error instanceof MorayError && error.is(kind);
}
