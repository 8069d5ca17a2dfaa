import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pause } from '../../runtime/timers.ts';
import type { ByteSource } from '../object-store.ts';
import { nextPiece } from './bytes.ts';
import { explainManta, MantaSilentError } from './failure.ts';
import { getObject, type Manta } from './manta.ts';

/** Times that a download goes on after its connection broke without a new byte. */
const MOST_BREAKS = 5;
const PAUSE = 200;
const BUFFERED = 1024 * 1024;

export interface ObjectStreamOptions {
  /** In Manta. */
  readonly path: string;
  readonly etag: string;
  readonly start: number;
  /** Position after the last byte. */
  readonly until: number;
  /** The answer that begins at `start`. */
  readonly body: IncomingMessage;
}

/** Bytes of one object. Where a connection breaks, the next goes on, if the object is still the same. */
export class ObjectStream extends Readable implements ByteSource {
  readonly #manta: Manta;
  readonly #options: ObjectStreamOptions;
  readonly #ended = new AbortController();
  #body: IncomingMessage | undefined;
  #at: number;
  #breaks = 0;

  constructor(manta: Manta, options: ObjectStreamOptions) {
    super({ highWaterMark: BUFFERED });
    this.#manta = manta;
    this.#options = options;
    this.#body = options.body;
    this.#at = options.start;
  }

  override _read(): void {
    this.#next().then(
      (piece) => {
        if (!this.destroyed) this.push(piece);
      },
      (error: unknown) => this.destroy(explainManta(error, 0) as Error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#ended.abort(error ?? new Error('the stream was closed'));
    this.#body?.destroy();
    callback(error);
  }

  async #next(): Promise<Buffer | null> {
    const { until } = this.#options;
    for (;;) {
      if (this.#at >= until) {
        // The connection can be used again once the end of the answer was seen.
        if (this.#body) await nextPiece(this.#body, this.#manta.timeout, this.#ended.signal).catch(() => undefined);
        return null;
      }
      try {
        this.#body ??= await this.#open();
        const piece = await nextPiece(this.#body, this.#manta.timeout, this.#ended.signal);
        if (piece === undefined)
          throw new MantaSilentError(`the answer of Manta ended ${until - this.#at} bytes early`);
        this.#at += piece.length;
        this.#breaks = 0;
        return piece;
      } catch (error) {
        this.#body?.destroy();
        this.#body = undefined;
        this.#breaks += 1;
        if (!(error instanceof MantaSilentError) || this.#breaks > MOST_BREAKS) throw error;
        await pause(PAUSE * this.#breaks, this.#ended.signal);
      }
    }
  }

  async #open(): Promise<IncomingMessage> {
    const { path, etag, until } = this.#options;
    const headers = { range: `bytes=${this.#at}-${until - 1}`, 'if-match': etag };
    const { status, body } = await getObject(this.#manta, path, headers, this.#ended.signal);
    if (status === 206) return body;
    body.destroy();
    throw new MantaSilentError(`Manta answered ${status} where a range was asked for`);
  }
}
