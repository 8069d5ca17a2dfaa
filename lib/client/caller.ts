/** One call of an IMGAPI: its parameters, headers and signature, and how its answer is read. */
import { expectSuccess } from './answer.ts';
import { type AnswerShape, readShaped } from './answer-shape.ts';
import { formatQuery, type Query } from './filter.ts';
import { type HttpAnswer, type HttpRequest, HttpTransport, type TransportOptions } from './transport.ts';

/** What `Accept-Version` may ask for. `*`, like any range that 2.0.0 satisfies, gets the view of version 2. */
export type ApiVersion = '~1' | '~2' | '~3' | '*';

/** What a signer sees of a request; `linkSigner` and `classicSigner` of lib/signing fit. */
export interface RequestToSign {
  readonly method: string;
  /** Path with query, as on the request line. */
  readonly path: string;
  /** By lower-case name, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent if there is no body, or if it is a stream. */
  readonly body?: string | Uint8Array;
}

/** Returns the headers to add. */
export type RequestSigner = (
  request: RequestToSign,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

export interface ImgapiClientOptions extends TransportOptions {
  /** Sent as `Accept-Version`. Calls that only version 3 has ask for it anyway. Default `~3`. */
  readonly version?: ApiVersion;
  readonly userAgent?: string;
  /** Account on whose behalf calls are made, unless a call names another. Absent: as an operator. */
  readonly account?: string;
  /** Channel of all calls, where the server has channels. */
  readonly channel?: string;
  readonly signer?: RequestSigner;
  /** Sent as `x-request-id`, to match the logs of both sides. */
  readonly requestId?: string;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly account?: string;
  readonly channel?: string;
  readonly requestId?: string;
  /** Milliseconds, see TransportOptions. */
  readonly answerTimeout?: number;
  readonly idleTimeout?: number;
}

export interface Call {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as raw bytes. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Of the JSON that answers it. */
  readonly answer?: AnswerShape;
  /** Overrides the client's version. */
  readonly version?: ApiVersion;
}

export class Caller {
  readonly transport: HttpTransport;
  readonly #options: ImgapiClientOptions;

  constructor(options: ImgapiClientOptions) {
    const url = new URL(options.url);
    const channel = options.channel ?? url.searchParams.get('channel') ?? undefined;
    this.#options = { ...options, ...(channel !== undefined && { channel }) };
    this.transport = new HttpTransport(options);
  }

  get isVersion3(): boolean {
    return (this.#options.version ?? '~3') === '~3';
  }

  /** @throws ImgapiError, ImgapiUnreachableError, or the signal's reason */
  async send(call: Call, options: CallOptions = {}): Promise<HttpAnswer> {
    const account = options.account ?? this.#options.account;
    const channel = options.channel ?? this.#options.channel;
    const path = call.path + formatQuery({ account, channel, ...call.query });
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    const headers = this.#headers(call, options, body);
    const { signal, answerTimeout, idleTimeout } = options;
    const answer = await this.transport.send({
      method: call.method,
      path,
      headers: { ...headers, ...(await this.#sign(call.method, path, headers, body)) },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
      ...(answerTimeout !== undefined && { answerTimeout }),
      ...(idleTimeout !== undefined && { idleTimeout }),
    });
    return expectSuccess(answer);
  }

  /** The answer's JSON. Of its form only `answer` is checked: callers who distrust the server must do the rest. */
  async json<T>(call: Call, options?: CallOptions): Promise<T> {
    return readShaped<T>(await this.send(call, options), call.answer);
  }

  /** For calls whose answer has no body. */
  async done(call: Call, options?: CallOptions): Promise<void> {
    (await this.send(call, options)).body.resume();
  }

  #headers(call: Call, options: CallOptions, body: HttpRequest['body']): Record<string, string> {
    const { userAgent, version = '~3' } = this.#options;
    const requestId = options.requestId ?? this.#options.requestId;
    const headers: Record<string, string> = {
      host: this.transport.host,
      accept: 'application/json',
      'accept-version': call.version ?? version,
      'user-agent': userAgent ?? 'imgapi-client',
    };
    if (requestId !== undefined) headers['x-request-id'] = requestId;
    if (call.json !== undefined) headers['content-type'] = 'application/json';
    else if (body !== undefined) headers['content-type'] = 'application/octet-stream';
    return { ...headers, ...call.headers };
  }

  async #sign(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: HttpRequest['body'],
  ): Promise<Readonly<Record<string, string>>> {
    const { signer } = this.#options;
    if (!signer) return {};
    const isSmall = typeof body === 'string' || body instanceof Uint8Array;
    return signer({ method, path: this.transport.basePath + path, headers, ...(isSmall && { body }) });
  }
}
