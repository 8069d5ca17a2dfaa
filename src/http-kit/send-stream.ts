/** Sends the bytes of a stream as an answer. */
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteSource } from '#lib/objects/object-store.ts';
import { sendFile } from './send-file.ts';

/**
 * Sends the whole stream after the headers, which are written already, and ends the answer. If the stream fails, the
 * connection is cut: the client must not take part of a file for the whole. The same happens if the stream has more or
 * fewer bytes than `length`, which the headers promise: the client would take the excess for the next answer, or wait
 * in vain.
 */
export async function sendStream(response: ServerResponse, stream: ByteSource, length: number): Promise<void> {
  if (await sendFile(response, stream, length)) return;
  await pipeline(stream, new ResponseSink(response, stream, length));
}

/** A stream has more or fewer bytes than the headers promise. */
class WrongLengthError extends Error {
  override readonly name = 'WrongLengthError';
}

/** Gives each chunk back to its source once it is sent, so that the source need not allocate memory for each. */
class ResponseSink extends Writable {
  readonly #response: ServerResponse;
  readonly #source: ByteSource;

  /** Promised bytes that are not written yet. */
  #left: number;

  constructor(response: ServerResponse, source: ByteSource, length: number) {
    super();
    this.#response = response;
    this.#source = source;
    this.#left = length;
    response.once('close', () => {
      if (!response.writableFinished) this.destroy(new Error('the client is gone'));
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#left -= chunk.length;
    if (this.#left < 0) {
      done(new WrongLengthError(`the stream has at least ${-this.#left} bytes too many`));
      return;
    }
    this.#response.write(chunk, (error) => {
      if (!error) this.#source.recycle?.(chunk);
      done(error);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#left > 0) done(new WrongLengthError(`the stream ended ${this.#left} bytes too early`));
    else this.#response.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error) this.#response.destroy(error);
    done(error);
  }
}
