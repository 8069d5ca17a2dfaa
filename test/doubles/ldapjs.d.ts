/** The parts of ldapjs 3's server that the double uses; it ships no types. */
declare module 'ldapjs' {
  import type { Server as NetServer } from 'node:net';

  export interface Name {
    readonly length: number;
    toString(): string;
    equals(other: Name | string): boolean;
    childOf(other: Name | string): boolean;
  }

  /** `filters` of an AND or OR, `attribute` and `value` of an equality. */
  export interface Filter {
    readonly type: string;
    readonly filters?: readonly Filter[];
    readonly attribute?: string;
    readonly value?: string;
  }

  export interface Request {
    readonly dn: Name;
    readonly connection: { readonly ldap: { readonly bindDN: Name } };
    readonly controls: readonly {
      readonly type: string;
      readonly value: { readonly size: number; readonly cookie: Buffer };
    }[];
  }

  export interface BindRequest extends Request {
    readonly credentials: string;
  }

  export interface SearchRequest extends Request {
    readonly filter: Filter;
    readonly scopeName: string;
    readonly attributes: readonly string[];
  }

  export interface Response {
    send(entry: { readonly dn: string; readonly attributes: object }): void;
    addControl(control: object): void;
    end(status?: number): void;
  }

  export type Next = (error?: Error) => void;
  export type Handler<R> = (request: R, response: Response, next: Next) => void;

  export interface Server {
    readonly server: NetServer;
    bind(suffix: string, handler: Handler<BindRequest>): void;
    search(suffix: string, handler: Handler<SearchRequest>): void;
    on(event: string, listener: (error: Error) => void): void;
    listen(port: number, host: string, listening: () => void): void;
    close(closed: () => void): void;
  }

  interface Ldapjs {
    createServer(options?: { readonly certificate?: string; readonly key?: string }): Server;
    readonly PagedResultsControl: {
      new (options: { readonly value: { readonly size: number; readonly cookie: Buffer } }): object;
      readonly OID: string;
    };
    readonly InvalidCredentialsError: new () => Error;
    readonly InsufficientAccessRightsError: new () => Error;
    readonly SizeLimitExceededError: new () => Error;
    readonly BusyError: new () => Error;
  }

  const ldapjs: Ldapjs;
  export default ldapjs;
}
