/**
 * Short reads on the caller's thread: handing a job to another thread would take longer than most of them. A read that
 * looks at too many rows is stopped and left to the reading threads.
 */
import { LRUCache } from 'lru-cache';
import { type AnswerOf, type FindJob, type Job, kindOf } from './protocol.ts';
import { StepConnection } from './step-connection.ts';

/** Rows to look at: about a millisecond, or a few if they have to be fetched from disk. */
const MOST_ROWS = 1000;
/** Characters of documents to return; the next step returns the rest. */
const MOST_CHARACTERS = 128 * 1024;
/** How many kinds of jobs are remembered as long. */
const MOST_KINDS = 1000;

/** Only the search in order: it finds at once what is frequent. Narrowing one takes as long as it takes. */
function shortOf({ search: _, ...job }: FindJob): FindJob {
  return { ...job, characters: MOST_CHARACTERS };
}

export class ShortReads {
  readonly #connection: StepConnection;
  /** Kinds of jobs that were not short when last tried. */
  readonly #long = new LRUCache<string, true>({ max: MOST_KINDS });
  #rows = 0;

  constructor(path: string) {
    this.#connection = new StepConnection(path, () => --this.#rows >= 0);
  }

  /** Undefined when the job is, or probably is, too long. */
  try<J extends Job>(job: J): AnswerOf[J['type']] | undefined {
    const kind = kindOf(job);
    if (this.#long.get(kind) !== undefined || (job.type === 'find' && job.refs !== undefined)) {
      return undefined;
    }
    this.#rows = MOST_ROWS;
    try {
      return this.#connection.run(job.type === 'find' ? shortOf(job) : job) as AnswerOf[J['type']];
    } catch (error) {
      if (this.#rows >= 0) {
        throw error;
      }
      this.#long.set(kind, true);
      return undefined;
    }
  }

  /** Call when a job of that kind turned out to be short after all, with other values or other rows. */
  forget(job: Job): void {
    this.#long.delete(kindOf(job));
  }

  close(): void {
    this.#connection.close();
  }
}
