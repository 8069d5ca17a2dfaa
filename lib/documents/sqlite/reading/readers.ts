/**
 * The threads that do long reads. A job goes to any free thread. Jobs that are known to be slow never take the last
 * one, so that a list that an index serves does not wait behind a search through everything.
 */
import { LRUCache } from 'lru-cache';
import { closedError } from '../../errors.ts';
import { type AnswerOf, type Job, kindOf } from './protocol.ts';
import { Reader } from './reader.ts';

const THREADS = 2;
/** A job that takes this many milliseconds makes the next job of its kind count as slow. */
const SLOW = 100;
/** How many kinds of jobs are remembered as slow. */
const MOST_SLOW = 1000;

interface Waiting {
  readonly job: Job;
  readonly kind: string;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: AnswerOf[keyof AnswerOf]) => void;
  readonly reject: (error: unknown) => void;
}

export class Readers {
  readonly #path: string;
  readonly #slow = new LRUCache<string, true>({ max: MOST_SLOW });
  readonly #waiting: Waiting[] = [];
  #readers: Reader[] = [];
  /** Number of threads with a slow job. */
  #slowRunning = 0;
  #closing: Promise<unknown> | undefined;

  /** @param path of a database file; threads start when they are first needed */
  constructor(path: string) {
    this.#path = path;
  }

  /** Runs one step of a read. An abort of `signal` ends it, even while SQLite is working. */
  run<J extends Job>(job: J, signal?: AbortSignal): Promise<AnswerOf[J['type']]> {
    return new Promise<AnswerOf[keyof AnswerOf]>((resolve, reject) => {
      if (this.#closing !== undefined) {
        throw closedError();
      }
      signal?.throwIfAborted();
      this.#waiting.push({ job, kind: kindOf(job), signal, resolve, reject });
      signal?.addEventListener('abort', this.#dropAborted, { once: true });
      this.#start();
    }).finally(() => signal?.removeEventListener('abort', this.#dropAborted)) as Promise<AnswerOf[J['type']]>;
  }

  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) {
      reject(closedError());
    }
    this.#closing ??= Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#closing;
  }

  readonly #dropAborted = (): void => {
    for (const waiting of this.#waiting.filter(({ signal }) => signal?.aborted)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.reject(waiting.signal?.reason);
    }
  };

  #start(): void {
    for (let reader = this.#free(); reader !== undefined; reader = this.#free()) {
      const at = this.#waiting.findIndex(({ kind }) => this.#mayStart(kind));
      const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) {
        return;
      }
      void this.#runOn(reader, next);
    }
  }

  #mayStart(kind: string): boolean {
    return this.#slow.get(kind) === undefined || this.#slowRunning < THREADS - 1;
  }

  #free(): Reader | undefined {
    if (this.#waiting.length === 0 || this.#closing !== undefined) {
      return undefined;
    }
    this.#readers = this.#readers.filter(({ isAlive }) => isAlive);
    const free = this.#readers.find(({ isBusy }) => !isBusy);
    if (free !== undefined || this.#readers.length >= THREADS) {
      return free;
    }
    const reader = new Reader(this.#path);
    this.#readers.push(reader);
    return reader;
  }

  async #runOn(reader: Reader, { job, kind, signal, resolve, reject }: Waiting): Promise<void> {
    const isSlow = this.#slow.get(kind) !== undefined;
    this.#slowRunning += isSlow ? 1 : 0;
    const abandon = (): void => reader.abandon();
    signal?.addEventListener('abort', abandon, { once: true });
    const start = performance.now();
    try {
      resolve(await reader.run(job));
    } catch (error) {
      reject(signal?.aborted ? signal.reason : this.#closing === undefined ? error : closedError());
    } finally {
      this.#remember(kind, performance.now() - start);
      signal?.removeEventListener('abort', abandon);
      this.#slowRunning -= isSlow ? 1 : 0;
      this.#start();
    }
  }

  #remember(kind: string, milliseconds: number): void {
    if (milliseconds >= SLOW) {
      this.#slow.set(kind, true);
    } else {
      this.#slow.delete(kind);
    }
  }
}
