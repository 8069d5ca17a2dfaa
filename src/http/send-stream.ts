/** The bytes of an answer, from a stream to the connection. */
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteSource } from '#lib/manta/object-store.ts';

/**
 * Sends all of the stream behind the headers, which are written already, and ends the answer. On a failing stream the
 * connection is cut: the client must not take a short file for the whole.
 */
export async function sendStream(response: ServerResponse, stream: ByteSource): Promise<void> {
  await pipeline(stream, new ResponseSink(response, stream));
}

/** Gives the pieces back to their source once they are out, so that it need not find new memory for each. */
class ResponseSink extends Writable {
  readonly #response: ServerResponse;
  readonly #source: ByteSource;

  constructor(response: ServerResponse, source: ByteSource) {
    super();
    this.#response = response;
    this.#source = source;
    response.once('close', () => {
      if (!response.writableFinished) this.destroy(new Error('the client is gone'));
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#response.write(chunk, (error) => {
      if (!error) this.#source.recycle?.(chunk);
      done(error);
    });
  }

  override _final(done: () => void): void {
    this.#response.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error) this.#response.destroy(error);
    done(error);
  }
}
