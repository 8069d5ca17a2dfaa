/**
 * Requests to Manta that carry bytes. They are made here and not by the npm client, which cannot be told to give up. Nor
 * by undici, which does not speak `Expect: 100-continue`: with it, Manta refuses an upload before its bytes are sent.
 */
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { startInterval, startTimer, type Timer } from '../../runtime/timers.ts';
import { parseJsonText } from '../../text/json.ts';
import type { Credentials } from './credentials.ts';
import { MantaError, MantaSilentError, notMantas } from './failure.ts';

export interface BytesOptions {
  readonly url: URL;
  readonly credentials: Credentials;
  readonly agent: Agent;
  /** Milliseconds for which the other side may do nothing while it is its turn. */
  readonly timeout: number;
}

export interface BytesRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Each piece of a stream is valid until the next one is asked for. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, instead of those of the options. */
  readonly timeout?: number;
}

export interface BytesAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** To be read to its end, or destroyed. */
  readonly body: IncomingMessage;
}

/** Bodies up to this size are sent along: asking first would cost a round trip more. */
const SENT_ALONG = 64 * 1024;
/** Bytes of an error that are read. */
const LONGEST_ERROR = 64 * 1024;

export class Bytes {
  readonly #options: BytesOptions;

  constructor(options: BytesOptions) {
    this.#options = options;
  }

  /** The signal's reason, or the body's own error, if one of them is why it failed. @throws MantaError, MantaSilentError */
  async send(asked: BytesRequest): Promise<BytesAnswer> {
    asked.signal?.throwIfAborted();
    const answer = await this.#exchange(asked);
    const { statusCode: status = 0, headers } = answer;
    // Manta redirects none of these.
    if (status >= 200 && status < 300) return { status, headers, body: answer };
    throw await toError(answer, asked, this.#options.timeout);
  }

  /** Reads nothing of the answer but its headers. */
  async sendBriefly(asked: BytesRequest): Promise<BytesAnswer> {
    const answer = await this.send(asked);
    await textOf(answer.body, this.#options.timeout);
    return answer;
  }

  async sendForJson(asked: BytesRequest): Promise<unknown> {
    const { body } = await this.send(asked);
    const text = await textOf(body, this.#options.timeout);
    try {
      return parseJsonText(text);
    } catch (cause) {
      throw notMantas(`to ${asked.method} ${asked.path}`, { cause });
    }
  }

  #exchange(asked: BytesRequest): Promise<IncomingMessage> {
    const { url, agent, credentials } = this.#options;
    const { method, path, body, signal, timeout = this.#options.timeout } = asked;
    const isStream = body !== undefined && !(body instanceof Uint8Array);
    const length = isStream ? undefined : (body?.byteLength ?? 0);
    const waits = isStream || (length ?? 0) > SENT_ALONG;
    const options: RequestOptions = {
      agent,
      method,
      path,
      host: url.hostname,
      ...(url.port !== '' && { port: url.port }),
      headers: {
        ...(length !== undefined && method !== 'GET' && { 'content-length': length }),
        'accept-version': '~1.0',
        accept: '*/*',
        ...asked.headers,
        ...credentials.headers(method, path),
        ...(waits && { expect: '100-continue' }),
      },
    };
    const request = url.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
    return new Promise((resolve, reject) => {
      const turn = new Turn(timeout, () => fail(new MantaSilentError(`${url.host} did nothing for ${timeout} ms`)));
      const end = (): void => {
        turn.end();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
        request.destroy();
      };
      const onAbort = (): void => fail(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      request.on('error', (cause) => {
        const { code = cause.message } = cause as NodeJS.ErrnoException;
        fail(new MantaSilentError(`the connection to ${url.host} failed: ${code}`, { cause }));
      });
      request.once('response', (answer) => {
        end();
        // The rest of a body that was refused is not sent, so nothing else can go over this connection.
        if (!request.writableFinished) answer.once('end', () => request.destroy());
        answer.on('error', () => undefined);
        resolve(answer);
      });
      const upload = (): void => {
        if (isStream) sendStream(request, body, turn).catch(fail);
        else request.end(body);
      };
      if (waits) {
        request.once('continue', upload);
        request.flushHeaders();
      } else {
        upload();
      }
    });
  }
}

/** Measures how long the other side does nothing while it is its turn. */
class Turn {
  readonly #timer: Timer;
  #since = performance.now();
  #isOurs = false;

  constructor(timeout: number, onSilence: () => void) {
    this.#timer = startInterval(() => {
      if (!this.#isOurs && performance.now() - this.#since >= timeout) onSilence();
    }, timeout / 4);
  }

  ours(): void {
    this.#isOurs = true;
  }

  theirs(): void {
    this.#isOurs = false;
    this.#since = performance.now();
  }

  end(): void {
    this.#timer.stop();
  }
}

async function sendStream(request: ClientRequest, body: AsyncIterable<Uint8Array>, turn: Turn): Promise<void> {
  let wake = (): void => undefined;
  request.once('close', () => wake());
  turn.ours();
  for await (const piece of body) {
    turn.theirs();
    if (request.destroyed) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      request.write(piece, () => resolve());
    });
    turn.ours();
  }
  turn.theirs();
  request.end();
}

/** The next piece of an answer; undefined at its end. @throws MantaSilentError if it does not come, or breaks off */
export async function nextPiece(
  body: IncomingMessage,
  timeout: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  for (;;) {
    signal?.throwIfAborted();
    const piece: Buffer | null = body.read();
    if (piece !== null) return piece;
    if (body.readableEnded) {
      if (body.complete) return undefined;
      throw new MantaSilentError('the answer of Manta broke off');
    }
    if (body.destroyed) {
      throw new MantaSilentError('the answer of Manta broke off', { cause: body.errored ?? undefined });
    }
    await somethingCame(body, timeout, signal);
  }
}

function somethingCame(body: IncomingMessage, timeout: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: unknown): void => {
      timer.stop();
      signal?.removeEventListener('abort', onAbort);
      for (const event of EVENTS) body.removeListener(event, onEvent);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onEvent = (): void => end();
    const onAbort = (): void => end(signal?.reason);
    const silent = new MantaSilentError(`nothing of the answer of Manta came for ${timeout} ms`);
    const timer = startTimer(() => end(silent), timeout);
    for (const event of EVENTS) body.on(event, onEvent);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;

async function textOf(body: IncomingMessage, timeout: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = await nextPiece(body, timeout);
    if (piece === undefined) return Buffer.concat(pieces).toString();
    size += piece.length;
    if (size > LONGEST_ERROR) {
      body.destroy();
      return Buffer.concat(pieces).toString();
    }
    pieces.push(piece);
  }
}

async function toError(answer: IncomingMessage, { method, path }: BytesRequest, timeout: number): Promise<MantaError> {
  const { statusCode: status = 0, headers } = answer;
  const text = await textOf(answer, timeout).catch(() => '');
  const { code = '', message = '' } = tolerantly(text);
  const told = message === '' ? `to ${method} ${path}` : message;
  return new MantaError(status, code, told, { retryAfter: Number(headers['retry-after'] ?? 0) });
}

/** What a balancer says in Manta's place is no JSON. */
function tolerantly(text: string): { code?: string; message?: string } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
