import type { Worker } from 'node:worker_threads';
import { startThread } from '../../runtime/thread.ts';
import type { HashReply, HashRequest, HashThreadData } from './protocol.ts';

const YOUNG_MIB = 4;

export interface StreamListener {
  onReply(reply: HashReply): void;
  onFailure(error: Error): void;
}

/**
 * The near end of one hashing thread. It keeps the process alive only while an answer is outstanding, and its death is
 * told to the streams that it served, never to the process.
 */
export class HashWorker {
  readonly #worker: Worker;
  readonly #streams = new Map<number, StreamListener>();
  #outstanding = 0;
  #isEnding = false;
  #failure: Error | undefined;

  constructor(buffer: SharedArrayBuffer) {
    const data: HashThreadData = { buffer };
    this.#worker = startThread(new URL('./thread.ts', import.meta.url), { name: 'hashing', youngMib: YOUNG_MIB, data });
    this.#worker.on('message', (reply: HashReply) => this.#onReply(reply));
    this.#worker.on('error', (cause) => this.#fail(new Error('the hashing thread failed', { cause })));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the hashing thread ended with code ${code}`)));
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** Streams that it serves now. */
  get load(): number {
    return this.#streams.size;
  }

  start(request: HashRequest & { type: 'start' }, listener: StreamListener): void {
    this.#streams.set(request.stream, listener);
    this.#worker.postMessage(request);
  }

  /** The answer goes to the stream's listener. */
  ask(request: HashRequest & { type: 'update' | 'add' | 'digest' }): void {
    if (this.#outstanding === 0) {
      this.#worker.ref();
    }
    this.#outstanding += 1;
    this.#worker.postMessage(request);
  }

  end(stream: number): void {
    if (this.#streams.delete(stream) && this.alive) {
      this.#worker.postMessage({ type: 'end', stream } satisfies HashRequest);
    }
  }

  async terminate(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  #onReply(reply: HashReply): void {
    this.#outstanding -= 1;
    // While it is being ended nothing else may hold the process, which would then stop in the middle of its shutdown.
    if (this.#outstanding === 0 && !this.#isEnding) {
      this.#worker.unref();
    }
    this.#streams.get(reply.stream)?.onReply(reply);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) {
      return;
    }
    this.#failure = error;
    const listeners = [...this.#streams.values()];
    this.#streams.clear();
    for (const listener of listeners) {
      listener.onFailure(error);
    }
  }
}
