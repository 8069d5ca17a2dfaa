import { Readable } from 'node:stream';
import { pause, startInterval, startTimer, type Timer } from '../runtime/timers.ts';
import { letGo } from './let-go.ts';
import type { ByteSource } from './object-store.ts';

export interface ObjectStreamOptions {
  readonly start: number;
  /** Position after the last byte. */
  readonly until: number;
  /** The answer to the first request, which begins at `start`. */
  readonly body: Readable;
  /** Milliseconds for which a connection may bring nothing. */
  readonly idle: number;
  /** Milliseconds before the first request for the rest; doubled each time. */
  readonly backoff: number;
  /** Asks for the bytes from a position on, of the very same object. What it throws ends the stream. */
  readonly open: (at: number, signal: AbortSignal) => Promise<Readable>;
  /** What the stream ends with. @param at position of the byte that did not come */
  readonly failure: (cause: unknown, at: number) => Error;
}

/** Connections without a byte after which a read gives up. */
const ATTEMPTS = 5;
/** Looks for silence in the time that a connection may be silent. */
const LOOKS = 4;

/**
 * Bytes of an object as they come over the network. If a connection ends early or falls silent, another one goes on from
 * there.
 */
export class ObjectStream extends Readable implements ByteSource {
  readonly #options: ObjectStreamOptions;
  readonly #ending = new AbortController();
  readonly #watch: Timer;
  #body: Readable | undefined;
  #at: number;
  #fruitless = 0;
  /** `performance.now()` of when it became the store's turn. */
  #since = performance.now();

  constructor(options: ObjectStreamOptions) {
    super();
    this.#options = options;
    this.#at = options.start;
    this.#watch = startInterval(() => this.#look(), options.idle / LOOKS).unref();
    this.#attach(options.body);
  }

  /** Much memory waits for the collector otherwise: each piece is one of its own. */
  recycle(chunk: Uint8Array): void {
    letGo(chunk);
  }

  override _read(): void {
    const body = this.#body;
    if (!body?.isPaused()) return;
    this.#since = performance.now();
    body.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#ending.abort(error ?? new Error('the stream was closed'));
    this.#watch.stop();
    this.#detach();
    callback(error);
  }

  #attach(body: Readable): void {
    this.#body = body;
    this.#since = performance.now();
    body.on('error', (error) => this.#onBroken(body, error));
    if (this.#at === this.#options.until) {
      this.#finish();
      return;
    }
    body.on('data', (chunk: Buffer) => this.#onData(body, chunk));
    body.on('end', () => this.#onBroken(body, new Error('the connection ended early')));
    body.on('close', () => this.#onBroken(body, new Error('the connection was closed')));
  }

  #onData(body: Readable, chunk: Buffer): void {
    if (body !== this.#body) return;
    this.#fruitless = 0;
    this.#since = performance.now();
    const rest = this.#options.until - this.#at;
    const taken = chunk.length > rest ? chunk.subarray(0, rest) : chunk;
    this.#at += taken.length;
    if (!this.push(taken)) body.pause();
    if (this.#at === this.#options.until) this.#finish();
  }

  #finish(): void {
    const body = this.#body;
    this.#body = undefined;
    this.#watch.stop();
    this.push(null);
    // Read to its end, so that the connection can be used again; but nobody waits for an end that does not come.
    const limit = startTimer(() => body?.destroy(), this.#options.idle).unref();
    body?.once('close', () => limit.stop()).resume();
  }

  #detach(): void {
    const body = this.#body;
    this.#body = undefined;
    body?.destroy();
  }

  /** A reader that is slow leaves the connection silent as well; that is no fault of the store. */
  #look(): void {
    const body = this.#body;
    if (!body || body.isPaused() || performance.now() - this.#since < this.#options.idle) return;
    this.#onBroken(body, new Error('the store has fallen silent'));
  }

  #onBroken(body: Readable, cause: unknown): void {
    if (body !== this.#body) return;
    this.#detach();
    this.#fruitless += 1;
    if (this.#fruitless >= ATTEMPTS) this.#fail(cause);
    else this.#goOn().catch((error: unknown) => this.#fail(error));
  }

  async #goOn(): Promise<void> {
    const { open, backoff } = this.#options;
    const { signal } = this.#ending;
    await pause(backoff * 2 ** (this.#fruitless - 1), signal);
    const body = await open(this.#at, signal);
    if (signal.aborted) body.destroy();
    else this.#attach(body);
  }

  #fail(cause: unknown): void {
    if (!this.destroyed) this.destroy(this.#options.failure(cause, this.#at));
  }
}
