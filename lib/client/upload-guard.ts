/** Watches the upload of a request body, for a server that stops taking bytes or never answers. */
import { startTimer, type Timer } from '../runtime/timers.ts';
import { unreachable } from './transport-fault.ts';

export interface UploadGuardOptions {
  readonly url: string;
  /** Milliseconds for which the server may take no bytes. 0: no limit. */
  readonly idleTimeout: number;
  /** Milliseconds that the server has to answer after the last byte. 0: no limit. */
  readonly answerTimeout: number;
}

export class UploadGuard {
  /** Aborts when the server stalls; its reason is an ImgapiUnreachableError. */
  readonly signal: AbortSignal;
  /** The error of the source, if that is what failed. */
  sourceError: unknown;
  readonly #stalled = new AbortController();
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: UploadGuardOptions;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(source: AsyncIterable<Uint8Array>, options: UploadGuardOptions) {
    this.#source = source;
    this.#options = options;
    this.signal = this.#stalled.signal;
  }

  /** The bytes to send. The clock stops while the source is waited for, because a source may be slow. */
  async *body(): AsyncGenerator<Uint8Array, void> {
    const { idleTimeout, answerTimeout } = this.#options;
    for await (const chunk of this.#chunks()) {
      this.#watch('idle-timeout', idleTimeout);
      yield chunk;
      this.#timer?.stop();
    }
    this.#watch('answer-timeout', answerTimeout);
  }

  /** By itself, because what breaks the connection is thrown into {@link body}, and is no failure of the source. */
  async *#chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#source;
    } catch (cause) {
      this.sourceError = cause;
      throw cause;
    }
  }

  /**
   * Stops watching, once the answer has arrived or the call has failed. A server may answer before it has read the end,
   * so the source may end later than this: a clock that began then would keep the process up.
   */
  close(): void {
    this.#isClosed = true;
    this.#timer?.stop();
  }

  #watch(fault: 'idle-timeout' | 'answer-timeout', milliseconds: number): void {
    if (milliseconds === 0 || this.#isClosed) return;
    this.#timer = startTimer(() => {
      const cause = new Error(`nothing for ${milliseconds / 1000} s during an upload`);
      this.#stalled.abort(unreachable(fault, this.#options.url, cause));
    }, milliseconds);
  }
}
