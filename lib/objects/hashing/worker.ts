import type { Worker } from 'node:worker_threads';
import { startThread } from '../../runtime/thread.ts';
import type { Asked, Hasher, StreamListener } from './hasher.ts';
import type { HashReply, HashRequest, HashThreadData } from './protocol.ts';

/** Its objects are messages: more of them in memory save no time. */
const YOUNG_MIB = 1;

/**
 * The main thread's side of one hashing thread. It keeps the process alive only while a reply is outstanding. If the
 * thread dies, the streams that it served fail, not the process.
 */
export class HashWorker implements Hasher {
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

  get load(): number {
    return this.#streams.size;
  }

  start(request: HashRequest & { type: 'start' }, listener: StreamListener): void {
    this.#streams.set(request.stream, listener);
    this.#worker.postMessage(request);
  }

  ask(request: Asked): void {
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
    // During termination this thread may be all that keeps the process alive; without it, shutdown would be cut short.
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
