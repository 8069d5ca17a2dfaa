import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { pause, startTimer, type Timer } from '../../runtime/timers.ts';
import { ObjectTruncatedError } from '../errors.ts';
import type { ByteSource } from '../object-store.ts';
import type { S3Calls } from './calls.ts';
import { S3Error } from './s3-error.ts';

export interface ObjectStreamOptions {
  readonly calls: S3Calls;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly start: number;
  /** Position after the last byte. */
  readonly until: number;
  /** The answer to the first request, which begins at `start`. */
  readonly body: Readable;
}

/** Attempts without a byte after which a read gives up. */
const ATTEMPTS = 4;

/**
 * Bytes of an object as they come from the store. If a connection ends early or falls silent, another one goes on from
 * there, provided that the object is still the same.
 */
export class ObjectStream extends Readable implements ByteSource {
  readonly #options: ObjectStreamOptions;
  readonly #ending = new AbortController();
  readonly #idle: Timer;
  #body: Readable | undefined;
  #at: number;
  #fruitless = 0;

  constructor(options: ObjectStreamOptions) {
    super();
    this.#options = options;
    this.#at = options.start;
    this.#idle = startTimer(() => this.#onSilence(), options.calls.limits.idle).unref();
    this.#attach(options.body);
  }

  override _read(): void {
    this.#idle.refresh();
    this.#body?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#ending.abort(error ?? new Error('the stream was destroyed'));
    this.#idle.stop();
    this.#detach();
    callback(error);
  }

  #attach(body: Readable): void {
    this.#body = body;
    body.on('data', (chunk: Buffer) => {
      if (body !== this.#body) return;
      this.#fruitless = 0;
      this.#idle.refresh();
      const rest = this.#options.until - this.#at;
      const taken = chunk.length > rest ? chunk.subarray(0, rest) : chunk;
      this.#at += taken.length;
      if (!this.push(taken)) body.pause();
      if (this.#at === this.#options.until) this.#finish();
    });
    body.on('end', () => this.#onBroken(body, new Error('the connection ended early')));
    body.on('error', (error) => this.#onBroken(body, error));
    body.on('close', () => this.#onBroken(body, new Error('the connection was closed')));
  }

  #finish(): void {
    this.#idle.stop();
    this.push(null);
    // Read to its end, so that the connection can be used again.
    this.#body?.resume();
    this.#body = undefined;
  }

  #detach(): void {
    const body = this.#body;
    this.#body = undefined;
    body?.destroy();
  }

  /** A reader that is slow leaves the connection silent as well; that is no fault of the store. */
  #onSilence(): void {
    const body = this.#body;
    if (!body || body.isPaused()) return;
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
    const { calls, key, path, etag, start, until } = this.#options;
    await pause(calls.limits.backoff * 2 ** (this.#fruitless - 1), this.#ending.signal);
    const command = new GetObjectCommand({
      Bucket: calls.bucket,
      Key: key,
      Range: `bytes=${this.#at}-${until - 1}`,
      IfMatch: etag,
    });
    const { signal } = this.#ending;
    try {
      const { Body } = await calls.call('GetObject', (client, send) => client.send(command, send), { signal });
      if (!(Body instanceof Readable)) throw new ObjectTruncatedError(path, until - start, this.#at - start);
      this.#attach(Body);
      this.#idle.refresh();
    } catch (error) {
      const isGone = error instanceof S3Error && [404, 412, 416].includes(error.status ?? 0);
      throw isGone ? new ObjectTruncatedError(path, until - start, this.#at - start, { cause: error }) : error;
    }
  }

  #fail(cause: unknown): void {
    if (this.destroyed) return;
    const { path, start, until } = this.#options;
    this.destroy(
      cause instanceof ObjectTruncatedError || cause instanceof S3Error
        ? cause
        : new ObjectTruncatedError(path, until - start, this.#at - start, { cause }),
    );
  }
}
