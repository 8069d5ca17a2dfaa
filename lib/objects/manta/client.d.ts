/** What is used of manta 5, which ships no types. */
declare module 'manta' {
  import type { EventEmitter } from 'node:events';
  import type { Agent } from 'node:http';
  import type Logger from 'bunyan';

  export interface Signed {
    readonly algorithm: string;
    /** The fingerprint alone. */
    readonly keyId: string;
    readonly user: string;
    readonly subuser?: string | undefined;
    /** Base64. */
    readonly signature: string;
  }

  export interface ClientOptions {
    readonly url: string;
    readonly user: string;
    readonly subuser?: string;
    readonly sign: (text: string, callback: (error: Error | null, signed?: Signed) => void) => void;
    readonly log: Logger;
    readonly agent: Agent;
    readonly connectTimeout: number;
    readonly rejectUnauthorized: boolean;
    readonly retry: false;
  }

  export interface Info {
    readonly type?: string;
    readonly etag?: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
  }

  export interface Result {
    readonly statusCode?: number;
    readonly headers: Readonly<Record<string, string | undefined>>;
  }

  type Options = Readonly<Record<string, unknown>>;

  export interface MantaClient {
    info(path: string, callback: (error: Error | null, info: Info) => void): void;
    mkdir(path: string, callback: (error: Error | null, result: Result) => void): void;
    ln(source: string, path: string, callback: (error: Error | null, result: Result) => void): void;
    unlink(path: string, callback: (error: Error | null, result: Result) => void): void;
    ls(path: string, options: Options, callback: (error: Error | null, entries: EventEmitter) => void): void;
    close(): void;
  }

  const manta: { createClient(options: ClientOptions): MantaClient };
  export default manta;
}
