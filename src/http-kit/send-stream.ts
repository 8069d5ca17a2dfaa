/** The bytes of an answer, from a stream to the connection. */
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteSource } from '#lib/objects/object-store.ts';

/**
 * Sends all of the stream behind the headers, which are written already, and ends the answer. On a failing stream the
 * connection is cut: the client must not take a short file for the whole. The same goes for one that brings more or less
 * than the `length` that the headers promise: the rest of it would be taken for the next answer, or waited for in vain.
 */
export async function sendStream(response: ServerResponse, stream: ByteSource, length: number): Promise<void> {
  await pipeline(stream, new ResponseSink(response, stream, length));
}

/** What a stream brings is not what the headers have promised. */
class WrongLengthError extends Error {
  override readonly name = 'WrongLengthError';
}

/** Gives the pieces back to their source once they are out, so that it need not find new memory for each. */
class ResponseSink extends Writable {
  readonly #response: ServerResponse;
  readonly #source: ByteSource;

  /** Bytes that are promised and not written yet. */
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
      done(new WrongLengthError(`the stream brings ${-this.#left} bytes or more beyond its length`));
      return;
    }
    this.#response.write(chunk, (error) => {
      if (!error) this.#source.recycle?.(chunk);
      done(error);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#left > 0) done(new WrongLengthError(`the stream ended ${this.#left} bytes before its length`));
    else this.#response.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error) this.#response.destroy(error);
    done(error);
  }
}
