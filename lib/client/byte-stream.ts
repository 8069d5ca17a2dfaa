/** A response body under guard. */
import { addAbortListener } from 'node:events';
import { Readable } from 'node:stream';
import { startTimer, type Timer } from '../runtime/timers.ts';
import { decodeUtf8 } from '../text/json.ts';
import { toCallError, unreachable } from './transport-fault.ts';

/** Pieces, of 64 KiB each from a fast source, that wait for the reader at the most. */
const PIECES_AHEAD = 4;

export interface ByteStreamOptions {
  /** Names the source in errors. */
  readonly url: string;
  /** Bytes that have to come, when known. */
  readonly length?: number;
  /** Milliseconds without a byte, while the reader wants some, after which the body is given up. 0: never. */
  readonly idleTimeout: number;
  readonly signal?: AbortSignal;
}

/**
 * Counts what comes and fails, always with ImgapiUnreachableError or the signal's reason, when the connection breaks,
 * the body is short, nothing comes for too long, or the call is aborted. A reader that is slow itself is no fault.
 * Whoever does not read it to the end must `destroy()` it, or its connection stays taken.
 */
export class ByteStream extends Readable {
  /** Bytes that will come in all, when known. */
  readonly expected: number | undefined;
  /** Bytes that came so far. */
  bytes = 0;
  readonly #source: Readable;
  readonly #options: ByteStreamOptions;
  readonly #unlisten: Disposable | undefined;
  #idle: Timer | undefined;
  #wanted = false;

  constructor(source: Readable, options: ByteStreamOptions) {
    // Pieces are passed on as they come: counted in bytes, those that wait would be copied together into new memory.
    super({ objectMode: true, highWaterMark: PIECES_AHEAD });
    this.expected = options.length;
    this.#source = source;
    this.#options = options;
    // A body that breaks before anybody reads it must not end the process.
    this.on('error', () => {});
    source.on('error', (cause) => this.destroy(this.#failure(cause)));
    source.on('data', (chunk: Uint8Array) => this.#take(chunk));
    source.on('end', () => this.#end());
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(this.#failure(unreachable('reset', options.url)));
    });
    source.pause();
    const { signal } = options;
    if (signal) this.#unlisten = addAbortListener(signal, () => this.destroy(this.#failure(signal.reason)));
  }

  override _read(): void {
    this.#wanted = true;
    this.#watch();
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idle?.stop();
    this.#unlisten?.[Symbol.dispose]();
    this.#source.destroy();
    callback(error);
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    this.#idle?.refresh();
    if (this.push(chunk)) return;
    this.#wanted = false;
    this.#source.pause();
  }

  #end(): void {
    if (this.expected === undefined || this.bytes === this.expected) {
      this.push(null);
      return;
    }
    const cause = new Error(`${this.bytes} of ${this.expected} bytes came`);
    this.destroy(unreachable('short-body', this.#options.url, cause));
  }

  #watch(): void {
    if (this.#options.idleTimeout === 0) return;
    if (this.#idle) {
      this.#idle.refresh();
      return;
    }
    this.#idle = startTimer(() => {
      if (!this.#wanted) return;
      const cause = new Error(`no byte for ${this.#options.idleTimeout / 1000} s after ${this.bytes} bytes`);
      this.destroy(unreachable('idle-timeout', this.#options.url, cause));
    }, this.#options.idleTimeout);
  }

  #failure(cause: unknown): Error {
    const failure = toCallError(cause, this.#options.url, this.#options.signal);
    return failure instanceof Error ? failure : new Error('aborted', { cause: failure });
  }
}

/**
 * A small body as text.
 * @param limit bytes; a longer one is given up, with a RangeError
 * @throws JsonError when it is no UTF-8
 */
export async function readText(body: ByteStream, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    if (body.bytes > limit) throw new RangeError(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return decodeUtf8(Buffer.concat(chunks));
}
