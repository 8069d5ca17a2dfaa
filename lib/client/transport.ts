/** HTTP to one origin: connections are kept alive, calls can be aborted, redirects are not followed, files are streamed. */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { withoutEnd } from '../text/without-end.ts';
import { ByteStream } from './byte-stream.ts';
import { toCallError } from './transport-fault.ts';
import { UploadGuard } from './upload-guard.ts';

export interface TransportOptions {
  /** Scheme, host, port, and a base path that goes before the path of every request. */
  readonly url: string;
  /** Milliseconds to connect. Default 10 s. */
  readonly connectTimeout?: number;
  /** Milliseconds from the end of the request to the first byte of the answer. Default 2 min. */
  readonly answerTimeout?: number;
  /** Milliseconds for which a body may stall, in either direction. Default 30 s. */
  readonly idleTimeout?: number;
  /** Accepts certificates that no known authority has signed. */
  readonly insecure?: boolean;
  /** Carries the requests instead of a pool of our own, for example undici's ProxyAgent. The caller closes it. */
  readonly dispatcher?: Dispatcher | Promise<Dispatcher>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query; the base path goes before it. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds, for this request. 0: no limit. */
  readonly answerTimeout?: number;
  readonly idleTimeout?: number;
}

/** An answer of any status. Its headers have arrived, its body may not. */
export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name; the values of repeated headers are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteStream;
  /** What was asked, without its query. */
  readonly url: string;
}

export class HttpTransport {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Goes before every request's path: empty, or with a slash at its beginning and none at its end. */
  readonly basePath: string;
  /** The value of the Host header. */
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #ownsDispatcher: boolean;
  #carrier: Dispatcher | Promise<Dispatcher> | undefined;
  readonly #answerTimeout: number;
  readonly #idleTimeout: number;

  constructor(options: TransportOptions) {
    const url = new URL(options.url);
    this.origin = url.origin;
    this.host = url.host;
    this.basePath = withoutEnd(url.pathname, '/');
    this.#answerTimeout = options.answerTimeout ?? 120_000;
    this.#idleTimeout = options.idleTimeout ?? 30_000;
    this.#ownsDispatcher = options.dispatcher === undefined;
    this.#options = options;
    this.#carrier = options.dispatcher;
  }

  /**
   * Rejects with ImgapiUnreachableError, with the signal's reason, or with what the source of an uploaded body failed
   * with. The body of the answer must be read to its end or destroyed.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    request.signal?.throwIfAborted();
    const path = this.basePath + request.path;
    const url = this.origin + withoutQuery(path);
    const { body } = request;
    const isStream = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
    const answer = isStream ? this.#upload(request, body, path, url) : this.#exchange(request, body, path, url);
    const { statusCode, headers, body: received } = await answer;
    const flat = flatten(headers);
    const length = request.method === 'HEAD' ? undefined : toLength(flat['content-length']);
    return {
      status: statusCode,
      headers: flat,
      url,
      body: new ByteStream(received, {
        url,
        idleTimeout: request.idleTimeout ?? this.#idleTimeout,
        ...(length !== undefined && { length }),
        ...(request.signal && { signal: request.signal }),
      }),
    };
  }

  /** Lets running calls end. */
  async close(): Promise<void> {
    if (this.#ownsDispatcher) await (await this.#dispatcher()).close();
  }

  /** Breaks off running calls. */
  async destroy(): Promise<void> {
    if (this.#ownsDispatcher) await (await this.#dispatcher()).destroy();
  }

  async #exchange(
    request: HttpRequest,
    body: string | Uint8Array | undefined,
    path: string,
    url: string,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#dispatch(request, path, body, request.answerTimeout ?? this.#answerTimeout, request.signal);
    } catch (cause) {
      throw toCallError(cause, url, request.signal);
    }
  }

  async #upload(
    request: HttpRequest,
    source: AsyncIterable<Uint8Array>,
    path: string,
    url: string,
  ): Promise<Dispatcher.ResponseData> {
    const guard = new UploadGuard(source, {
      url,
      idleTimeout: request.idleTimeout ?? this.#idleTimeout,
      answerTimeout: request.answerTimeout ?? this.#answerTimeout,
    });
    const signal = request.signal ? AbortSignal.any([request.signal, guard.signal]) : guard.signal;
    const body = Readable.from(guard.body(), { objectMode: false, highWaterMark: 256 * 1024 });
    try {
      // The guard limits the time to the answer, counted from the last byte.
      return await this.#dispatch(request, path, body, 0, signal);
    } catch (cause) {
      if (request.signal?.aborted || guard.signal.aborted) throw signal.reason;
      throw guard.sourceError ?? toCallError(cause, url, undefined);
    } finally {
      guard.close();
      // A server that answered early wants no more, so a source that is waiting for something must stop.
      body.destroy();
      if (source instanceof Readable) source.destroy();
    }
  }

  /** Made, and its library loaded, when the first request is sent: most processes start long before that. */
  #dispatcher(): Dispatcher | Promise<Dispatcher> {
    this.#carrier ??= poolTo(this.origin, this.#options);
    return this.#carrier;
  }

  async #dispatch(
    request: HttpRequest,
    path: string,
    body: string | Uint8Array | Readable | undefined,
    headersTimeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const dispatcher = await this.#dispatcher();
    return await dispatcher.request({
      origin: this.origin,
      method: request.method,
      path,
      headersTimeout,
      // ByteStream watches the body itself, to the millisecond.
      bodyTimeout: 0,
      ...(request.headers && { headers: request.headers }),
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  }
}

async function poolTo(origin: string, { connectTimeout, insecure }: TransportOptions): Promise<Dispatcher> {
  const { Pool } = await import('undici');
  return new Pool(origin, {
    allowH2: false,
    connect: { timeout: connectTimeout ?? 10_000, rejectUnauthorized: insecure !== true },
  });
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

function toLength(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function withoutQuery(path: string): string {
  const at = path.indexOf('?');
  return at < 0 ? path : path.slice(0, at);
}
