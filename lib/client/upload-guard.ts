/** A request body under guard: a server that stops taking bytes, or never answers, is noticed. */
import { startTimer, type Timer } from '../runtime/timers.ts';
import { unreachable } from './transport-fault.ts';

export interface UploadGuardOptions {
  readonly url: string;
  /** Milliseconds for which the server may take no byte. 0: for ever. */
  readonly idleTimeout: number;
  /** Milliseconds for which the server may take its time after the last byte. 0: for ever. */
  readonly answerTimeout: number;
}

export class UploadGuard {
  /** Aborts when the server stalls; its reason is an ImgapiUnreachableError. */
  readonly signal: AbortSignal;
  /** What the source of the bytes failed with: that is not the server's fault. */
  sourceError: unknown;
  readonly #stalled = new AbortController();
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: UploadGuardOptions;
  #timer: Timer | undefined;

  constructor(source: AsyncIterable<Uint8Array>, options: UploadGuardOptions) {
    this.#source = source;
    this.#options = options;
    this.signal = this.#stalled.signal;
  }

  /** The bytes to send. While the next ones are waited for, the clock stands still: the source may be slow. */
  async *body(): AsyncGenerator<Uint8Array, void> {
    const { idleTimeout, answerTimeout } = this.#options;
    try {
      for await (const chunk of this.#source) {
        this.#watch('idle-timeout', idleTimeout);
        yield chunk;
        this.#timer?.stop();
      }
    } catch (cause) {
      this.sourceError = cause;
      throw cause;
    }
    this.#watch('answer-timeout', answerTimeout);
  }

  /** Ends the watch, once the answer is there or the call has failed. */
  close(): void {
    this.#timer?.stop();
  }

  #watch(fault: 'idle-timeout' | 'answer-timeout', milliseconds: number): void {
    if (milliseconds === 0) return;
    this.#timer = startTimer(() => {
      const cause = new Error(`nothing for ${milliseconds / 1000} s during an upload`);
      this.#stalled.abort(unreachable(fault, this.#options.url, cause));
    }, milliseconds);
  }
}
