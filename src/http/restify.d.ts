/** What is used of restify 12, which ships no types. */
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
    get(options: { path: string; name: string }, handler: AsyncHandler): void;
    head(options: { path: string; name: string }, handler: AsyncHandler): void;
    post(options: { path: string; name: string }, handler: AsyncHandler): void;
    put(options: { path: string; name: string }, handler: AsyncHandler): void;
    del(options: { path: string; name: string }, handler: AsyncHandler): void;
    on(event: 'restifyError', listener: ErrorListener): void;
    listen(port: number, address: string, listening: () => void): void;
    once(event: 'error', listener: (error: Error) => void): void;
    close(closed: () => void): void;
  }

  export interface ServerOptions {
    readonly name: string;
    readonly log?: unknown;
    readonly noWriteContinue?: boolean;
    readonly ignoreTrailingSlash?: boolean;
    readonly formatters?: Readonly<Record<string, (req: unknown, res: RestifyResponse, body: unknown) => string>>;
  }

  const restify: { createServer(options: ServerOptions): RestifyServer };
  export default restify;
}
