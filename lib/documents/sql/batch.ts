/**
 * Carries out the writes of one batch, within a transaction. A batch takes two groups of statements, however many
 * writes it has: one that finds out what there is, and one that changes it.
 */
import { EtagConflictError } from '../errors.ts';
import { naming } from './collisions.ts';
import type { Documents } from './documents.ts';
import type { EtagSource } from './etags.ts';
import { forLayout, type PreparedPut, type PreparedWrite } from './prepared-write.ts';
import type { Program, Step } from './program.ts';
import { type CurrentRow, currentRow, deleteRow, insertRow, selectCurrent, updateRow } from './rows.ts';
import type { Tables } from './tables.ts';

export interface BatchContext {
  readonly tables: (bucket: string) => Tables;
  readonly etags: EtagSource;
  readonly documents: Documents;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Go along with the first group and with the last one; for a database whose transaction begins and ends with it. */
  readonly begin?: readonly Step[];
  readonly commit?: readonly Step[];
}

/**
 * @returns the etags of the puts, '' for each del
 * @throws EtagConflictError, UniqueAttributeError, InvalidValueError
 */
export function* applyBatch(writes: readonly PreparedWrite[], context: BatchContext): Program<string[]> {
  const { begin = [], commit = [] } = context;
  const etags: string[] = [];
  const runs = runsOf(writes);
  for (const [at, run] of runs.entries()) {
    const present = yield* currentRows(run, context, at === 0 ? begin : []);
    const changes = run.map((write, i) => change(write, present[i], context));
    etags.push(...changes.map(({ etag }) => etag));
    const steps = [...changes.flatMap(({ steps }) => steps), ...(at === runs.length - 1 ? commit : [])];
    yield* naming(new Set(run.map(({ bucket }) => context.tables(bucket))), steps);
  }
  return etags;
}

/** Consecutive writes of which no two concern the same object, so that what is there is known before all of them. */
function runsOf(writes: readonly PreparedWrite[]): PreparedWrite[][] {
  const runs: PreparedWrite[][] = [];
  let seen = new Set<string>();
  for (const write of writes) {
    const object = `${write.bucket} ${write.key}`;
    const run = runs.at(-1);
    if (run === undefined || seen.has(object)) {
      runs.push([write]);
      seen = new Set();
    } else {
      run.push(write);
    }
    seen.add(object);
  }
  return runs;
}

/** What there is, by position of the write. */
function* currentRows(
  writes: readonly PreparedWrite[],
  { tables }: BatchContext,
  begin: readonly Step[],
): Program<(CurrentRow | undefined)[]> {
  // All batches lock what they write in the same order, or two of them could wait for each other.
  const inOrder = writes.map((write, at) => ({ write, at })).sort((a, b) => compare(a.write, b.write));
  const selects = inOrder.map(({ write }) => selectCurrent(tables(write.bucket), write.key));
  const answers = yield [...begin, ...selects.flat()];
  const present = new Array<CurrentRow | undefined>(writes.length);
  let from = begin.length;
  for (const [i, { at }] of inOrder.entries()) {
    const to = from + (selects[i]?.length ?? 0);
    present[at] = currentRow(answers.slice(from, to));
    from = to;
  }
  return present;
}

function compare(a: PreparedWrite, b: PreparedWrite): number {
  if (a.bucket !== b.bucket) return a.bucket < b.bucket ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

interface WriteSteps {
  readonly etag: string;
  readonly steps: readonly Step[];
}

function change(write: PreparedWrite, current: CurrentRow | undefined, context: BatchContext): WriteSteps {
  const tables = context.tables(write.bucket);
  tables.writes += 1;
  checkEtag(write, current);
  if (current !== undefined) context.documents.forget(current.etag);
  if (write.op === 'put') return put(tables, write, current, context);
  return { etag: '', steps: current === undefined ? [] : deleteRow(tables, current) };
}

function put(
  tables: Tables,
  write: PreparedPut,
  current: CurrentRow | undefined,
  { etags, now }: BatchContext,
): WriteSteps {
  const { key, json, index, as } = forLayout(write, tables.layout);
  const row = { key, json, index, ...(as ?? { etag: etags.next(), mtime: now }) };
  return { etag: row.etag, steps: current === undefined ? insertRow(tables, row) : updateRow(tables, current, row) };
}

function checkEtag({ bucket, key, ifEtag }: PreparedWrite, current: CurrentRow | undefined): void {
  const actual = current?.etag ?? null;
  if (ifEtag !== undefined && ifEtag !== actual) throw new EtagConflictError(bucket, key, ifEtag, actual);
}
