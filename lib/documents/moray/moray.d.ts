/** What is used of moray 4, which ships no types. */
declare module 'moray' {
  import type { EventEmitter } from 'node:events';
  import type Logger from 'bunyan';

  /** How a connection is tried again: times in milliseconds. */
  export interface Recovery {
    readonly retries: number;
    readonly timeout: number;
    readonly maxTimeout: number;
    readonly delay: number;
    readonly maxDelay: number;
  }

  export interface ClientOptions {
    readonly host: string;
    readonly port: number;
    readonly log: Logger;
    readonly unwrapErrors: boolean;
    readonly requireIndexes: boolean;
    readonly cueballOptions: {
      readonly target: number;
      readonly maximum: number;
      readonly recovery: Readonly<Record<'default' | 'dns' | 'dns_srv', Recovery>>;
    };
  }

  export type Done = (error: unknown, result?: unknown) => void;

  export interface Client extends EventEmitter {
    ping(options: { readonly deep?: boolean; readonly timeout: number }, done: Done): void;
    getBucket(name: string, options: object, done: Done): void;
    createBucket(name: string, config: object, options: object, done: Done): void;
    updateBucket(name: string, config: object, options: object, done: Done): void;
    getObject(bucket: string, key: string, options: object, done: Done): void;
    batch(operations: readonly object[], options: object, done: Done): void;
    reindexObjects(bucket: string, count: number, options: object, done: Done): void;
    findObjects(bucket: string, filter: string, options: object): EventEmitter;
    sql(statement: string, values: readonly unknown[], options: object): EventEmitter;
    close(): void;
  }

  const moray: { createClient(options: ClientOptions): Client };
  export default moray;
}
