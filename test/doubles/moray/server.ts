/**
 * A Moray server for tests: the real client speaks its protocol to it. It does what `docs` of Moray and trials with a
 * real one say, above all what surprises: `server.test.ts` has it line by line. Several servers may share one storage,
 * as Moray's processes share a database; each has a cache of its own.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import Logger from 'bunyan';
import fast, { type FastRpc } from 'fast';
import { createBucket, deleteBucket, reindexObjects, sentBucket, updateBucket } from './buckets.ts';
import { bucketNotFound, MorayError, objectNotFound } from './errors.ts';
import { toObject } from './objects.ts';
import { find, parseFilter } from './query.ts';
import { type BucketConfig, MorayStorage, type Row } from './storage.ts';
import {
  batch,
  type ConfigOf,
  checkedKey,
  deleteMany,
  delObject,
  type Operation,
  putObject,
  updateObjects,
  type WriteOptions,
} from './writes.ts';

/** For how long a server goes by what it knows of a bucket. */
const CACHE_MS = 300_000;
/** fast's mode that takes both of the checksums that clients use. */
const BOTH_CHECKSUMS = 2;

export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What goes wrong with calls that arrive from now on. */
export type Trouble =
  | { readonly kind: 'none' }
  /** No answer ever comes. */
  | { readonly kind: 'hang'; readonly methods?: readonly string[] }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'fail'; readonly error: Error; readonly methods?: readonly string[] }
  /** The call is carried out, but its connection is cut before the answer. */
  | { readonly kind: 'cut-after'; readonly methods: readonly string[] };

interface FindArguments extends WriteOptions {
  readonly internalOpts?: { readonly sendHandledOptions?: boolean };
}

interface CallOptions extends FindArguments {
  readonly noBucketCache?: boolean;
}

type Answer = object | readonly object[] | undefined;

export class MorayDouble {
  readonly storage: MorayStorage;
  /** What clients have asked for, pings aside. */
  readonly calls: Call[] = [];
  trouble: Trouble = { kind: 'none' };
  readonly #cache = new Map<string, { readonly config: BucketConfig; readonly since: number }>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(storage = new MorayStorage()) {
    this.storage = storage;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** After a {@link stop}, on the same port. */
  async start(): Promise<this> {
    // Without no-delay each answer takes 45 ms on the loopback interface.
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    const log = new Logger({ name: 'moray-double', streams: [] });
    const served = new fast.FastServer({ log, server, crc_mode: BOTH_CHECKSUMS });
    for (const [rpcmethod, handle] of Object.entries(this.#methods())) {
      served.registerRpcMethod({ rpcmethod, rpchandler: (rpc) => this.#take(rpcmethod, rpc, handle) });
    }
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#cache.clear();
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cutAll();
    await closed;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #take(method: string, rpc: FastRpc, handle: (args: readonly unknown[]) => Answer): void {
    const args = rpc.argv();
    if (method !== 'ping' && method !== 'sql') this.calls.push({ method, args });
    const { trouble } = this;
    const isMeant = !('methods' in trouble) || trouble.methods === undefined || trouble.methods.includes(method);
    if (trouble.kind === 'hang' && isMeant) return;
    if (trouble.kind === 'slow') {
      setTimeout(() => answer(rpc, () => handle(args)), trouble.ms);
    } else if (trouble.kind === 'fail' && isMeant) {
      rpc.fail(trouble.error);
    } else if (trouble.kind === 'cut-after' && isMeant) {
      handle(args);
      this.cutAll();
    } else {
      answer(rpc, () => handle(args));
    }
  }

  #methods(): Readonly<Record<string, (args: readonly unknown[]) => Answer>> {
    const { storage } = this;
    const changed = (name: string, change: () => void): undefined => {
      change();
      this.#cache.delete(name);
    };
    return {
      ping: () => undefined,
      version: () => ({ version: 2 }),
      sql: ([statement]) => this.#sql(String(statement)),
      createBucket: ([name, config]) =>
        changed(String(name), () => createBucket(storage, String(name), Object(config))),
      updateBucket: ([name, config]) =>
        changed(String(name), () => updateBucket(storage, String(name), Object(config))),
      delBucket: ([name]) => changed(String(name), () => deleteBucket(storage, String(name))),
      getBucket: ([, name]) => sentBucket(this.#stored(String(name))),
      listBuckets: () => storage.names.map((name) => sentBucket(this.#stored(name))),
      putObject: ([bucket, key, value, options]) => {
        const { etag, noBucketCache } = Object(options) as CallOptions;
        const config = this.#configFor(noBucketCache)(String(bucket), storage.row(String(bucket), String(key)));
        return storage.transaction(() =>
          putObject(storage, config, checkedKey(String(key)), Object(value), etag === undefined ? {} : { etag }),
        );
      },
      getObject: ([bucket, key, options]) => this.#get(String(bucket), String(key), Object(options)),
      delObject: ([bucket, key, options]) => {
        const { name } = this.#config(String(bucket));
        return storage.transaction(() => delObject(storage, name, String(key), Object(options)));
      },
      findObjects: ([bucket, filter, options]) => this.#find(String(bucket), String(filter), Object(options)),
      updateObjects: ([bucket, fields, filter, options]) =>
        storage.transaction(() =>
          updateObjects(storage, this.#config(String(bucket)), Object(fields), String(filter), Object(options)),
        ),
      deleteMany: ([bucket, filter, options]) =>
        storage.transaction(() => deleteMany(storage, this.#config(String(bucket)), String(filter), Object(options))),
      batch: ([operations, options]) => {
        const { noBucketCache } = Object(options) as CallOptions;
        return batch(storage, operations as Operation[], this.#configFor(noBucketCache));
      },
      // It reads the configuration anew, and keeps it as it was before the last call changed it.
      reindexObjects: ([bucket, count]) => reindexObjects(storage, this.#config(String(bucket), true), Number(count)),
    };
  }

  #get(bucket: string, key: string, options: FindArguments): Answer {
    const config = this.#config(bucket);
    const row = this.storage.row(bucket, key);
    if (row === undefined) throw objectNotFound(bucket, key);
    return [...handled(options), toObject(config, row)];
  }

  #find(bucket: string, text: string, options: CallOptions): Answer {
    const filter = parseFilter(text);
    const config = this.#config(bucket, options.noBucketCache);
    return [...handled(options), ...find(this.storage, config, filter, text, options)];
  }

  /** There is no database here: only its clock can be asked for. */
  #sql(statement: string): Answer {
    if (!/^select .*clock_timestamp\(\).* as now$/i.test(statement)) {
      throw new MorayError('error', `the double knows no "${statement}"`);
    }
    return { now: this.storage.now() };
  }

  #stored(bucket: string): BucketConfig {
    const config = this.storage.config(bucket);
    if (config === undefined) throw bucketNotFound(bucket);
    return config;
  }

  #config(bucket: string, isFresh = false): BucketConfig {
    const cached = this.#cache.get(bucket);
    if (!isFresh && cached && this.storage.now() - cached.since < CACHE_MS) return cached.config;
    const config = this.#stored(bucket);
    this.#cache.set(bucket, { config, since: this.storage.now() });
    return config;
  }

  /** A row that a newer version has brought up shows a server that what it knows is old. */
  #configFor(isFresh = false): ConfigOf {
    return (bucket: string, row?: Row) => {
      const config = this.#config(bucket, isFresh);
      return (row?.version ?? 0) > config.version ? this.#config(bucket, true) : config;
    };
  }
}

function answer(rpc: FastRpc, work: () => Answer): void {
  try {
    const records = [work() ?? []].flat();
    for (const record of records) rpc.write(record);
    rpc.end();
  } catch (error) {
    rpc.fail(error instanceof Error ? error : new Error(String(error)));
  }
}

function handled({ internalOpts }: FindArguments): object[] {
  if (internalOpts?.sendHandledOptions !== true) return [];
  return [{ _handledOptions: ['limit', 'offset', 'sort', 'noLimit', 'no_count', 'requireIndexes', 'noBucketCache'] }];
}
