/**
 * One request as the handlers see it, and what they answer. Handlers are plain async functions from {@link Call} to
 * {@link Reply}; only `server.ts` knows restify's request and response.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type Logger from 'bunyan';
import type { ByteSource } from '#lib/objects/object-store.ts';

/** Query parameters, flat: repeated keys become arrays, no dots or brackets are read. */
export type QueryParams = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Those of the query, or what an API takes beside them: whatever JSON can hold. */
export type Parameters = Readonly<Record<string, unknown>>;

/** `V` is the version of the API that it is for, and `I` what the listener's authentication knows of who sent it. */
export interface Call<V = unknown, I = unknown> {
  readonly requestId: string;
  readonly log: Logger;
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** The matched parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: QueryParams;
  /** What operations and their parameters are read from: the query, unless the API has more. */
  readonly parameters: Parameters;
  readonly headers: IncomingHttpHeaders;
  readonly version: V;
  /** Undefined until the listener has looked at it. */
  readonly identity: I | undefined;
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** The JSON body, read once, within the listener's limit; undefined when there is none or it is not JSON. */
  json(): Promise<unknown>;
  /** All of a small body. @throws 413 when it has more bytes */
  bytes(limit: number): Promise<Buffer>;
  /** The body's bytes as they come. Whoever reads them has a limit of its own on how long none may come. */
  readonly body: Readable;
}

export interface Reply {
  /** Default 200, or 204 when nothing else is set. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as 2-space JSON. */
  readonly json?: unknown;
  /** Sent as it is, with the content type of `headers` or application/json. */
  readonly text?: string;
  /** A text that comes in pieces, sent as they come, with the content type of `headers` or application/json. */
  readonly pieces?: AsyncIterable<string>;
  /** Piped to the client; `Content-Length` must be among the headers. */
  readonly stream?: ByteSource;
  /** One JSON line each, until the end (`application/x-json-stream`). */
  readonly lines?: AsyncIterable<unknown>;
}

export type Handler<C> = (call: C) => Promise<Reply>;

export const HTTP_METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/** An API's routes say more of themselves, such as who may use them. */
export interface Route<C> {
  /** It labels metrics and the audit log. */
  readonly name: string;
  /** Where it has several operations: the one that is asked for, which labels them as well; undefined for none. */
  readonly operationOf?: (call: C) => string | undefined;
  readonly method: (typeof HTTP_METHODS)[number];
  /** `/images/:uuid/file`. HEAD is served where GET is. */
  readonly path: string;
  readonly handler: Handler<C>;
}
