/**
 * Reads on the thread of the caller, as long as they are short: handing a job to another thread takes longer than most
 * of them. What looks at more than so many rows is broken off and left to the threads.
 */
import { LRUCache } from 'lru-cache';
import { type AnswerOf, type Job, kindOf } from './protocol.ts';
import { StepConnection } from './step-connection.ts';

/** Rows to look at: about a millisecond, or a few where they have to be fetched from the disk. */
const MOST_ROWS = 1000;
/** Characters of documents to bring; the next step brings the rest. */
const MOST_CHARACTERS = 128 * 1024;
/** Kinds of jobs that are remembered as long. */
const MOST_KINDS = 1000;

export class ShortReads {
  readonly #connection: StepConnection;
  /** Kinds of jobs that were not short when they were tried last. */
  readonly #long = new LRUCache<string, true>({ max: MOST_KINDS });
  #rows = 0;

  constructor(path: string) {
    this.#connection = new StepConnection(path, () => --this.#rows >= 0);
  }

  /** Undefined when the job is, or may well be, too long. */
  try<J extends Job>(job: J): AnswerOf[J['type']] | undefined {
    const kind = kindOf(job);
    if (this.#long.get(kind) !== undefined || (job.type === 'find' && job.refs !== undefined)) {
      return undefined;
    }
    this.#rows = MOST_ROWS;
    try {
      const short = job.type === 'find' ? { ...job, characters: MOST_CHARACTERS } : job;
      return this.#connection.run(short) as AnswerOf[J['type']];
    } catch (error) {
      if (this.#rows >= 0) {
        throw error;
      }
      this.#long.set(kind, true);
      return undefined;
    }
  }

  /** A job of that kind was short after all: with other values, or other rows. */
  forget(job: Job): void {
    this.#long.delete(kindOf(job));
  }

  close(): void {
    this.#connection.close();
  }
}
