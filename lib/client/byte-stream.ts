/** A response body that fails when its connection breaks, stalls or ends early. */
import { addAbortListener } from 'node:events';
import { Readable } from 'node:stream';
import { startTimer, type Timer } from '../runtime/timers.ts';
import { decodeUtf8 } from '../text/json.ts';
import { toCallError, unreachable } from './transport-fault.ts';

/** The most pieces that wait for the reader. A fast source sends 64 KiB in each. */
const PIECES_AHEAD = 4;
/** The same beside so many other bodies: as much waits in each of their sockets. */
const AHEAD_OF_MANY = 1;
const MANY = 20;

/** Bodies that are open. */
let bodies = 0;

export interface ByteStreamOptions {
  /** Names the source in errors. */
  readonly url: string;
  /** Bytes that must arrive, if known. */
  readonly length?: number;
  /** Milliseconds to wait for a byte that the reader wants before giving up. 0: no limit. */
  readonly idleTimeout: number;
  readonly signal?: AbortSignal;
}

/**
 * Counts the bytes. Fails when the connection breaks, the body is short, nothing arrives for too long, or the call is
 * aborted; always with ImgapiUnreachableError or the signal's reason. A slow reader is not a fault.
 * A reader that stops before the end must `destroy()` it, or the connection stays in use.
 */
export class ByteStream extends Readable {
  /** Bytes in total, if known. */
  readonly expected: number | undefined;
  /** Bytes that have arrived so far. */
  bytes = 0;
  readonly #source: Readable;
  readonly #options: ByteStreamOptions;
  readonly #unlisten: Disposable | undefined;
  #idle: Timer | undefined;
  #wanted = false;

  constructor(source: Readable, options: ByteStreamOptions) {
    // In object mode pieces are passed on as they are; otherwise those that wait would be copied together into new memory.
    super({ objectMode: true, highWaterMark: bodies > MANY ? AHEAD_OF_MANY : PIECES_AHEAD });
    bodies += 1;
    this.expected = options.length;
    this.#source = source;
    this.#options = options;
    // A body that breaks before anyone reads it must not end the process.
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
    bodies -= 1;
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
    const cause = new Error(`${this.bytes} of ${this.expected} bytes arrived`);
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
      const cause = new Error(`no bytes for ${this.#options.idleTimeout / 1000} s after ${this.bytes} bytes`);
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
 * @param limit bytes; a longer body throws a RangeError
 * @throws JsonError if it is not UTF-8
 */
export async function readText(body: ByteStream, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    if (body.bytes > limit) throw new RangeError(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return decodeUtf8(Buffer.concat(chunks));
}
