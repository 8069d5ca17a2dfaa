/** Messages between the store and a reading thread: plain values, which can be sent. */
import type { DocumentRow } from '../../sql/document-rows.ts';
import type { BoundStatement, ListPart } from '../../sql/queries.ts';

/** The rest of a list: ids and etags of rows as they were when found, in a form that is quick to send. */
export interface Refs {
  readonly ids: Float64Array;
  /** Separated by spaces. */
  readonly etags: string;
}

/** Selects ids of rows, by `text` and a limit. */
export interface Narrowing {
  readonly sql: string;
  readonly text: string;
}

/** How to narrow a search that would look at every row. */
export interface Search {
  /** Each finds all rows that can match; the first one that finds few is used. */
  readonly by: readonly Narrowing[];
  /** The parts of the list among those rows. */
  readonly parts: readonly ListPart[];
}

export interface FindJob {
  readonly type: 'find';
  /** In order. */
  readonly parts: readonly ListPart[];
  /** Used where it leaves few rows. */
  readonly search?: Search;
  /** Rows to find. */
  readonly limit: number;
  /** Rows that an earlier step has found, to be used instead of searching. */
  readonly refs: Refs | undefined;
  /** SQL that selects `key`, `etag`, `mtime` and `value` by id. */
  readonly documentOf: string;
  /** Characters of JSON after which the rest is left to the next step. */
  readonly characters: number;
}

export interface CountJob {
  readonly type: 'count';
  readonly statement: BoundStatement;
}

export type Job = FindJob | CountJob;

export interface Found {
  readonly documents: readonly DocumentRow[];
  /** Rows that were found but not read; may be passed to the next step. */
  readonly rest: Refs;
  /** Fewer rows than the limit were found, so there are no more. Meaningless if `refs` were given. */
  readonly isEnd: boolean;
  /** A row that an earlier step found has changed: search again after the last document. */
  readonly isStale: boolean;
}

export interface AnswerOf {
  readonly find: Found;
  readonly count: number;
}

/** Jobs with the same statements take about as long; jobs with `refs` are always quick. */
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
  /** The id of the request that is no longer wanted, or {@link ALL}. */
  readonly abandoned: Int32Array;
}

export const ALL = -1;
