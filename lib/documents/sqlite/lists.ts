/** Lists and counts, read step by step: by this thread as long as that is quick, otherwise by reading threads. */
import type { DocumentRow } from '../sql/document-rows.ts';
import { restOf } from '../sql/queries.ts';
import type { Tables } from '../sql/tables.ts';
import type { Filter, Query, Stored } from '../store.ts';
import type { Access } from './access.ts';
import { type Connection, IN_MEMORY } from './connection.ts';
import type { Pages } from './pages.ts';
import type { AnswerOf, FindJob, Found, Job } from './reading/protocol.ts';
import { Readers } from './reading/readers.ts';
import { ShortReads } from './reading/short-reads.ts';
import { Steps } from './reading/steps.ts';
import type { Progress, Reads } from './reads.ts';

/** A job that another thread answers within this many milliseconds is tried on this thread again. */
const SHORT = 2;

interface ListStep {
  readonly documents: readonly Stored<object>[];
  /** Undefined when the whole list has been read. */
  readonly next: Progress | undefined;
}

interface ScanPlan {
  readonly signal: AbortSignal | undefined;
  /** Without values. */
  readonly isBare: boolean;
}

const NOTHING: ListStep = { documents: [], next: undefined };

export class Lists {
  readonly #access: Access;
  readonly #reads: Reads;
  readonly #pages: Pages;
  /** What runs the steps. A database in memory is visible to one connection only. */
  readonly #steps: { readonly short: ShortReads; readonly long: Readers } | Steps;

  constructor(path: string, connection: Connection, access: Access, reads: Reads, pages: Pages) {
    this.#access = access;
    this.#reads = reads;
    this.#pages = pages;
    this.#steps = path === IN_MEMORY ? new Steps(connection) : { short: new ShortReads(path), long: new Readers(path) };
  }

  async *scan(
    bucket: string,
    query: Query,
    { signal, isBare }: ScanPlan,
  ): AsyncGenerator<readonly Stored<object>[], void> {
    const place = isBare ? undefined : await this.#access.read(bucket, (tables) => this.#pages.placeOf(tables, query));
    const known = place && this.#pages.get(place);
    if (known !== undefined) {
      if (known.length > 0) yield known;
      return;
    }
    for (let progress: Progress | undefined = { query, isFirst: !isBare, isBare }; progress !== undefined; ) {
      const { isFirst }: Progress = progress;
      const { documents, next }: ListStep = await this.#step(bucket, progress, signal);
      if (place && isFirst && next === undefined) this.#pages.keep(place, documents);
      if (documents.length > 0) yield documents;
      progress = next;
    }
  }

  async count(bucket: string, filter: Filter | undefined, signal: AbortSignal | undefined): Promise<number> {
    return await this.#access.far(bucket, async (tables) => {
      const job = this.#reads.countJob(tables, filter);
      return job === undefined ? 0 : this.#carryOut(job, signal);
    });
  }

  async close(): Promise<void> {
    if (this.#steps instanceof Steps) return;
    this.#steps.short.close();
    await this.#steps.long.close();
  }

  /** Reads the next step of a list. */
  async #step(bucket: string, progress: Progress, signal: AbortSignal | undefined): Promise<ListStep> {
    const found = await this.#access.far(bucket, async (tables) => {
      const job = this.#reads.findJob(tables, progress);
      return job && { job, tables, answer: await this.#carryOut(job, signal) };
    });
    if (found === undefined) return NOTHING;
    const { answer, tables, job } = found;
    const documents = progress.isBare
      ? answer.documents.map(bare)
      : await this.#reads.parse(answer.documents, progress.isFirst);
    const next = isWhole(progress, job, answer, documents)
      ? undefined
      : nextOf(progress, job, answer, documents, tables);
    return { documents, next };
  }

  async #carryOut<J extends Job>(job: J, signal: AbortSignal | undefined): Promise<AnswerOf[J['type']]> {
    if (this.#steps instanceof Steps) return this.#steps.run(job) as AnswerOf[J['type']];
    const { short, long } = this.#steps;
    const shortAnswer = short.try(job);
    if (shortAnswer !== undefined) return shortAnswer;
    const start = performance.now();
    const answer = await long.run(job, signal);
    if (performance.now() - start < SHORT) short.forget(job);
    return answer;
  }
}

const VALUE = Object.freeze({});

function bare([key, etag, mtime]: DocumentRow): Stored<object> {
  return { key, value: VALUE, etag, mtime };
}

/** Whether nothing comes after the rows that were found. */
function isEnd({ rest }: Progress, job: FindJob, answer: Found): boolean {
  return job.refs === undefined ? answer.isEnd : rest?.isEnd === true;
}

function isWhole(progress: Progress, job: FindJob, answer: Found, { length }: readonly unknown[]): boolean {
  if (progress.query.limit === length) return true;
  return isEnd(progress, job, answer) && !answer.isStale && answer.rest.ids.length === 0;
}

function nextOf(
  progress: Progress,
  job: FindJob,
  answer: Found,
  documents: readonly Stored<object>[],
  tables: Tables,
): Progress {
  const hasRest = !answer.isStale && answer.rest.ids.length > 0;
  return {
    query: restOf(progress.query, tables, documents),
    ...(hasRest && { rest: { refs: answer.rest, tables, isEnd: isEnd(progress, job, answer) } }),
    isFirst: false,
    isBare: progress.isBare,
  };
}
