/** The real client as other services use it, for what a test does to Moray directly. */
import { once } from 'node:events';
import Logger from 'bunyan';
import moray, { type Client, type Done } from 'moray';
import type { Test } from 'tap';
import { MorayDouble } from './server.ts';
import type { MorayStorage } from './storage.ts';

export interface Found {
  readonly key: string;
  readonly value: Record<string, unknown>;
  readonly _id: number;
  readonly _etag: string;
  readonly _mtime: number;
  readonly _count?: number;
}

export class RawClient {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Any call that answers once, by its name and arguments. */
  async call(method: Exclude<keyof Client, 'close' | 'findObjects' | 'sql'>, ...args: unknown[]): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const done: Done = (error, result) => (error ? reject(error) : resolve(result));
    Reflect.apply(this.#client[method] as (...args: unknown[]) => void, this.#client, [...args, done]);
    return promise;
  }

  async put(bucket: string, key: string, value: object, options: object = {}): Promise<string> {
    return ((await this.call('putObject', bucket, key, value, options)) as { readonly etag: string }).etag;
  }

  async get(bucket: string, key: string): Promise<Found> {
    return (await this.call('getObject', bucket, key, {})) as Found;
  }

  async find(bucket: string, filter: string, options: object = {}): Promise<Found[]> {
    const found: Found[] = [];
    const answer = this.#client.findObjects(bucket, filter, options);
    answer.on('record', (record: Found) => found.push(record));
    await once(answer, 'end');
    return found;
  }

  /** The keys, in order of their text. */
  async keys(bucket: string, filter: string, options: object = {}): Promise<string> {
    return (await this.find(bucket, filter, options))
      .map(({ key }) => key)
      .sort()
      .join('');
  }

  close(): void {
    this.#client.close();
  }
}

/** A client that is connected. The test closes it. */
export async function rawClient(t: Test, { port }: MorayDouble, options: object = {}): Promise<RawClient> {
  const recovery = { retries: 3, timeout: 1000, maxTimeout: 2000, delay: 20, maxDelay: 100 };
  const client = moray.createClient({
    host: '127.0.0.1',
    port,
    log: new Logger({ name: 'test', streams: [] }),
    unwrapErrors: true,
    requireIndexes: false,
    cueballOptions: {
      target: 1,
      maximum: 1,
      recovery: { default: recovery, dns: recovery, dns_srv: { ...recovery, retries: 0 } },
    },
    ...options,
  });
  client.on('error', () => undefined);
  await once(client, 'connect');
  t.teardown(() => client.close());
  return new RawClient(client);
}

/** A server that the test stops. */
export async function morayDouble(t: Test, storage?: MorayStorage): Promise<MorayDouble> {
  const server = await new MorayDouble(storage).start();
  t.teardown(() => server.stop());
  return server;
}
