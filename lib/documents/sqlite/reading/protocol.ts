/** What the store and a reading thread say to each other: plain values, which can be sent. */
import type { BoundStatement, ListPart } from '../../sql/queries.ts';

/** Where the rest of a list is: rows by their ids, as they were when they were found. In a form that is quickly sent. */
export interface Refs {
  readonly ids: Float64Array;
  /** With a space between any two. */
  readonly etags: string;
}

export interface FindJob {
  readonly type: 'find';
  /** One behind the other. */
  readonly parts: readonly ListPart[];
  /** Rows to find. */
  readonly limit: number;
  /** Instead of looking for rows: those that an earlier step has found. */
  readonly refs: Refs | undefined;
  /** Finds `key`, `etag`, `mtime` and `value` by id. */
  readonly documentOf: string;
  /** Characters of JSON after which the rest is left to the next step. */
  readonly characters: number;
}

export interface CountJob {
  readonly type: 'count';
  readonly statement: BoundStatement;
}

export type Job = FindJob | CountJob;

export type DocumentRow = readonly [key: string, etag: string, mtime: number, json: string];

export interface Found {
  readonly documents: readonly DocumentRow[];
  /** What was found and not read; it may be given to the next step. */
  readonly rest: Refs;
  /** Fewer rows than the limit were found: there are no more. Means nothing where `refs` were given. */
  readonly isEnd: boolean;
  /** A row that was found by an earlier step is another one by now: look again behind the last document. */
  readonly isStale: boolean;
}

export interface AnswerOf {
  readonly find: Found;
  readonly count: number;
}

/** Jobs with the same statements take about as long; those that go on with rows that were found are quick. */
export function kindOf(job: Job): string {
  if (job.type === 'count') {
    return job.statement.sql;
  }
  return job.refs === undefined ? job.parts.map(({ sql }) => sql).join(';') : 'refs';
}

export interface ReadRequest {
  /** Greater than zero. */
  readonly id: number;
  readonly job: Job;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  /** SQLite's result code. */
  readonly code?: string;
}

export type ReadReply = { readonly id: number } & (
  | { readonly answer: AnswerOf[keyof AnswerOf] }
  | { readonly failure: Failure }
);

export interface ThreadData {
  readonly path: string;
  /** The id of the request that nobody waits for any more, or {@link ALL}. */
  readonly abandoned: Int32Array;
}

export const ALL = -1;
