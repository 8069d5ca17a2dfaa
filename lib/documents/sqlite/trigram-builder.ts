/** Has the indexes of three-letter pieces made whole in a thread of its own, once the process has started. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../runtime/thread.ts';
import { startTimer, type Timer } from '../../runtime/timers.ts';
import { type Connection, IN_MEMORY } from './connection.ts';
import { buildNext, type Step } from './trigram-building.ts';
import type { TrigramThreadData } from './trigram-thread.ts';

/** Milliseconds after which it begins, unless configured otherwise: a start is not to be slower for it. */
export const INDEX_AFTER = 3000;
const YOUNG_MIB = 2;
/** Rows of a step in memory. */
const ROWS = 500;
const GOES_ON: ReadonlySet<Step['state']> = new Set(['indexed', 'finished', 'dropped']);

export class TrigramBuilder {
  readonly #path: string;
  readonly #connection: Connection;
  readonly #after: number;
  readonly #warn: (fields: object, message: string) => void;
  #timer: Timer | undefined;
  #worker: Worker | undefined;
  /** Something came up while the thread may have looked for the last time. */
  #isWantedAgain = false;
  #hasWarned = false;
  #isClosed = false;

  constructor(
    path: string,
    connection: Connection,
    after: number,
    warn: (fields: object, message: string) => void = () => undefined,
  ) {
    this.#path = path;
    this.#connection = connection;
    this.#after = after;
    this.#warn = warn;
  }

  /** Call when something is left to do. */
  start(): void {
    if (this.#path === IN_MEMORY) {
      // Nobody else can see it, so nobody has to wait.
      while (GOES_ON.has(buildNext(this.#connection, ROWS).state));
      return;
    }
    if (this.#worker !== undefined) this.#isWantedAgain = true;
    else this.#timer ??= startTimer(() => this.#run(), this.#after).unref();
  }

  /** A step under way is ended first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.stop();
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = once(worker, 'exit');
    worker.ref();
    worker.postMessage('close');
    await exited;
  }

  #run(): void {
    if (this.#isClosed) return;
    const data: TrigramThreadData = { path: this.#path };
    const worker = startThread(new URL('./trigram-thread.ts', import.meta.url), {
      ...{ name: 'indexing', youngMib: YOUNG_MIB, data },
    });
    this.#worker = worker;
    worker.on('message', (problem: string) => this.#failed(problem));
    worker.on('error', (error) => this.#failed(error.message));
    worker.on('exit', () => {
      this.#worker = undefined;
      this.#timer = undefined;
      if (this.#isWantedAgain && !this.#isClosed) this.start();
      this.#isWantedAgain = false;
    });
  }

  #failed(problem: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#warn({ problem }, 'parts of texts cannot be indexed now, so searches for them are slower');
  }
}
