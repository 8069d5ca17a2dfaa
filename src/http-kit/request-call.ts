/**
 * The {@link Call} of one request; an API may extend it. A class, because an object literal would create its getters
 * anew for every request, which costs more than all the rest of a request.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type Logger from 'bunyan';
import { readBytes, readJson } from './body.ts';
import type { Call, Parameters, QueryParams } from './call.ts';
import { CUT_SHORT } from './connections.ts';
import type { BodyUse, Exchange } from './exchange.ts';
import { parseQuery } from './query.ts';
import { RequestError } from './request-error.ts';

/** Finds the requested version in the headers. @throws the error to answer with if there is none */
export type Versions<V> = (headers: IncomingHttpHeaders) => V;

export interface RequestCallOptions<V> {
  readonly requestId: string;
  readonly log: Logger;
  readonly jsonLimit: number;
  /** Milliseconds for a small body to be whole. */
  readonly bodyMs?: number | undefined;
  readonly versions: Versions<V>;
  readonly exchange: Exchange;
  /** The variable parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export class RequestCall<V, I> implements Call<V, I> {
  readonly requestId: string;
  readonly log: Logger;
  readonly method: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: QueryParams;
  readonly headers: IncomingHttpHeaders;
  readonly version: V;
  readonly remoteAddress: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #jsonLimit: number;
  readonly #bodyMs: number | undefined;
  readonly #exchange: Exchange;
  identity: I | undefined;
  #json: Promise<unknown> | undefined;
  #gone: AbortController | undefined;

  /** @throws 400 BadRequest, and what `versions` throws */
  constructor(request: IncomingMessage, response: ServerResponse, options: RequestCallOptions<V>) {
    const { headers, url = '/' } = request;
    this.requestId = options.requestId;
    this.log = options.log;
    this.method = request.method ?? 'GET';
    this.url = url;
    this.params = options.params;
    this.query = parseQuery(url);
    this.headers = headers;
    this.version = options.versions(headers);
    this.remoteAddress = request.socket.remoteAddress ?? '';
    this.#request = request;
    this.#response = response;
    this.#jsonLimit = options.jsonLimit;
    this.#bodyMs = options.bodyMs;
    this.#exchange = options.exchange;
  }

  get parameters(): Parameters {
    return this.query;
  }

  /** Created when it is first asked for: most requests end before anybody needs it. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    return this.#gone.signal;
  }

  onClose(listener: () => void): void {
    const response = this.#response;
    if (response.destroyed || response.writableFinished) queueMicrotask(listener);
    else response.once('close', listener);
  }

  json(): Promise<unknown> {
    this.#json ??= readJson(this.headers, () => this.#invitedBody('awaited'), this.#jsonLimit, this.#bodyMs);
    return this.#json;
  }

  bytes(limit: number): Promise<Buffer> {
    // Not unpacked: the bytes may be signed as they were sent.
    const { 'content-length': length } = this.headers;
    return readBytes({ 'content-length': length }, () => this.#invitedBody('awaited'), limit, this.#bodyMs);
  }

  get body(): Readable {
    return this.#invitedBody('own-limit');
  }

  /** To be called when the client left before it had its answer. */
  abort(): void {
    // Also for code that asks for the signal later.
    this.#gone ??= new AbortController();
    this.#gone.abort(new Error('the client is gone'));
  }

  /** The body. A client that sent `Expect: 100-continue` is told to go on only now that somebody is about to read. */
  #invitedBody(use: BodyUse): IncomingMessage {
    const request = this.#request;
    if (this.#exchange.isCutShort) throw new RequestError('BadRequest', CUT_SHORT);
    this.#exchange.bodyUse = use;
    const response = this.#response;
    const isWaiting = request.headers.expect?.toLowerCase() === '100-continue';
    if (isWaiting && !response.headersSent && !request.readableDidRead) response.writeContinue();
    return request;
  }
}
