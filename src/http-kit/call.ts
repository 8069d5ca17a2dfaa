/**
 * A request as handlers see it, and their reply. Handlers are plain async functions from {@link Call} to
 * {@link Reply}; only `server.ts` knows restify's request and response.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type Logger from 'bunyan';
import type { Method } from '#lib/api/operation.ts';
import type { ByteSource } from '#lib/objects/object-store.ts';

/** Query parameters, flat: repeated keys become arrays; dots and brackets have no meaning. */
export type QueryParams = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Parameters of the query, or what an API takes besides: anything that JSON can hold. */
export type Parameters = Readonly<Record<string, unknown>>;

/** `V` is the requested version of the API, `I` the identity that the listener's authentication found. */
export interface Call<V = unknown, I = unknown> {
  readonly requestId: string;
  readonly log: Logger;
  /** Aborts if the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  /** Has the listener called once the answer is out, or the connection is gone; at once if that was before. */
  onClose(listener: () => void): void;
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** The variable parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: QueryParams;
  /** Where the operation and its parameters are read from: the query, unless the API has more. */
  readonly parameters: Parameters;
  readonly headers: IncomingHttpHeaders;
  readonly version: V;
  /** Undefined until the listener has authenticated the request. */
  readonly identity: I | undefined;
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** The JSON body, read once, within the listener's limit; undefined if there is none or it is not JSON. */
  json(): Promise<unknown>;
  /** The whole of a small body. @throws 413 when it is longer */
  bytes(limit: number): Promise<Buffer>;
  /** The bytes of the body as they arrive. The reader must limit how long it waits for them. */
  readonly body: Readable;
}

export interface Reply {
  /** Default: 200, or 204 for a reply without content. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as 2-space JSON. */
  readonly json?: unknown;
  /** Sent unchanged, with the content type in `headers` or application/json. */
  readonly text?: string;
  /** The same, as the bytes of UTF-8. */
  readonly bytes?: Uint8Array;
  /** The same for text that is made piece by piece: each is sent once it is there. */
  readonly pieces?: AsyncIterable<string>;
  /** Piped to the client; `headers` must have `Content-Length`. */
  readonly stream?: ByteSource;
  /** Each is sent as a line of JSON (`application/x-json-stream`). */
  readonly lines?: AsyncIterable<unknown>;
}

/** No promise where the reply is in memory: that saves most of the way of a short answer. */
export type Handler<C> = (call: C) => Reply | Promise<Reply>;

/** An API may add to it, such as who may use the route. */
export interface Route<C> {
  /** Labels metrics and the audit log. */
  readonly name: string;
  /** On a route with several operations: the one that was asked for, which is a label as well; undefined for none. */
  readonly operationOf?: (call: C) => string | undefined;
  readonly method: Method;
  /** `/images/:uuid/file`. HEAD is served where GET is. */
  readonly path: string;
  readonly handler: Handler<C>;
}
