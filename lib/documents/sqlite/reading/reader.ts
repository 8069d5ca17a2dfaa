import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { startThread } from '../../../runtime/thread.ts';
import { StoreUnavailableError } from '../../errors.ts';
import { ALL, type AnswerOf, type Failure, type Job, type ReadReply, type ThreadData } from './protocol.ts';

/** Milliseconds that a thread gets to close its connection. */
const CLOSING = 2000;
const YOUNG_MIB = 8;

interface Outstanding {
  readonly id: number;
  readonly resolve: (answer: AnswerOf[keyof AnswerOf]) => void;
  readonly reject: (error: unknown) => void;
}

/** The main thread's side of a reading thread, which does one job at a time and keeps the process alive only then. */
export class Reader {
  readonly #worker: Worker;
  readonly #abandoned = new Int32Array(new SharedArrayBuffer(4));
  #outstanding: Outstanding | undefined;
  #lastId = 0;
  isAlive = true;

  constructor(path: string) {
    const data: ThreadData = { path, abandoned: this.#abandoned };
    this.#worker = startThread(new URL('./thread.ts', import.meta.url), { name: 'reading', youngMib: YOUNG_MIB, data });
    this.#worker.on('message', (reply: ReadReply) => this.#onReply(reply));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the reading thread ended with code ${code}`)));
  }

  get isBusy(): boolean {
    return this.#outstanding !== undefined;
  }

  /** Call only when not busy. Rejects with the thread's error, or {@link StoreUnavailableError} if the thread dies. */
  run(job: Job): Promise<AnswerOf[keyof AnswerOf]> {
    this.#lastId = (this.#lastId % 0x7fff_ffff) + 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#outstanding = { id, resolve, reject };
      this.#worker.ref();
      this.#worker.postMessage({ id, job });
    });
  }

  /** Call when the job is no longer wanted; it then soon ends with an error. */
  abandon(): void {
    if (this.#outstanding !== undefined) {
      Atomics.store(this.#abandoned, 0, this.#outstanding.id);
    }
  }

  /** Ends the job under way and the thread. */
  async close(): Promise<void> {
    if (!this.isAlive) {
      return;
    }
    Atomics.store(this.#abandoned, 0, ALL);
    this.#worker.postMessage('close');
    const late = setTimeout(() => void this.#worker.terminate(), CLOSING);
    this.#worker.ref();
    await once(this.#worker, 'exit');
    clearTimeout(late);
  }

  #onReply(reply: ReadReply): void {
    const done = this.#settled();
    if ('answer' in reply) {
      done?.resolve(reply.answer);
    } else {
      done?.reject(errorOf(reply.failure));
    }
  }

  #fail(cause: unknown): void {
    this.isAlive = false;
    this.#settled()?.reject(new StoreUnavailableError('a reading thread of the document store ended', { cause }));
  }

  #settled(): Outstanding | undefined {
    const done = this.#outstanding;
    this.#outstanding = undefined;
    this.#worker.unref();
    return done;
  }
}

/** SQLite errors are told apart by class and code, which a message between threads does not keep. */
function errorOf({ name, message, code }: Failure): Error {
  if (code?.startsWith('SQLITE_')) {
    return new Database.SqliteError(message, code);
  }
  return Object.assign(new Error(message), { name });
}
