/** The parts of restify 12 that we use; it ships no types. */
declare module 'restify' {
  import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';

  export interface RestifyRequest extends IncomingMessage {
    readonly params: Readonly<Record<string, string>>;
    getRoute(): { readonly name: string } | undefined;
  }

  export interface RestifyResponse extends ServerResponse {
    send(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): void;
  }

  export type AsyncHandler = (req: RestifyRequest, res: RestifyResponse) => Promise<void>;
  export type ErrorListener = (
    req: RestifyRequest,
    res: RestifyResponse,
    error: Error & { readonly statusCode?: number; readonly body?: { readonly code?: string } },
    done: () => void,
  ) => void;

  export interface RestifyServer {
    readonly server: HttpServer;
    /** The name of the route, which is another one than it was given if that is taken. */
    get(options: { path: string; name: string }, handler: AsyncHandler): string;
    head(options: { path: string; name: string }, handler: AsyncHandler): string;
    post(options: { path: string; name: string }, handler: AsyncHandler): string;
    put(options: { path: string; name: string }, handler: AsyncHandler): string;
    patch(options: { path: string; name: string }, handler: AsyncHandler): string;
    del(options: { path: string; name: string }, handler: AsyncHandler): string;
    /** Runs before everything else; false stops the processing of the request. */
    first(handler: (req: RestifyRequest, res: RestifyResponse) => boolean): void;
    on(event: 'restifyError', listener: ErrorListener): void;
    on(event: 'error', listener: (error: Error) => void): void;
    listen(port: number, address: string, listening: () => void): void;
    once(event: 'error', listener: (error: Error) => void): void;
    close(closed: () => void): void;
  }

  export interface ServerOptions {
    readonly name: string;
    readonly log?: unknown;
    readonly router?: unknown;
    readonly noWriteContinue?: boolean;
    readonly formatters?: Readonly<Record<string, (req: unknown, res: RestifyResponse, body: unknown) => string>>;
  }

  /** A server as the package makes it: what others are measured against. */
  const restify: { createServer(options: ServerOptions): RestifyServer };
  export default restify;
}

declare module 'restify/lib/server.js' {
  import type { RestifyServer, ServerOptions } from 'restify';

  const Server: new (options: ServerOptions) => RestifyServer;
  export default Server;
}

declare module 'restify/lib/router.js' {
  import type { RestifyRequest, RestifyResponse } from 'restify';
  import type RouterRegistry from 'restify/lib/routerRegistryRadix.js';

  export interface RouterOptions {
    readonly log: unknown;
    readonly ignoreTrailingSlash?: boolean;
    readonly registry?: RouterRegistry;
  }

  export interface RoutedTo {
    readonly route: { readonly name: string };
    readonly params: Readonly<Record<string, string>>;
    readonly handler: (req: RestifyRequest, res: RestifyResponse, done: (error?: Error) => void) => void;
  }

  export default class Router {
    constructor(options: RouterOptions);
    lookup(req: RestifyRequest, res: RestifyResponse): RoutedTo['handler'] | undefined;
    defaultRoute(req: RestifyRequest, res: RestifyResponse, next: (error: Error) => void): void;
  }
}

declare module 'restify/lib/routerRegistryRadix.js' {
  import type { RoutedTo, RouterOptions } from 'restify/lib/router.js';

  export default class RouterRegistry {
    constructor(options: RouterOptions);
    lookup(method: string, path: string): RoutedTo | undefined;
  }
}
