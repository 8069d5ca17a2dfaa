/** Carries out the writes of one batch, within the caller's transaction. */
import { EtagConflictError } from '../errors.ts';
import { naming } from './collisions.ts';
import type { Documents } from './documents.ts';
import type { EtagSource } from './etags.ts';
import { forLayout, type PreparedPut, type PreparedWrite } from './prepared-write.ts';
import type { Program } from './program.ts';
import { type CurrentRow, currentRow, deleteRow, insertRow, updateRow } from './rows.ts';
import type { Tables } from './tables.ts';

export interface BatchContext {
  readonly tables: (bucket: string) => Tables;
  readonly etags: EtagSource;
  readonly documents: Documents;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * @returns the etags of the puts, '' for each del
 * @throws EtagConflictError, UniqueAttributeError, InvalidValueError
 */
export function* applyBatch(writes: readonly PreparedWrite[], context: BatchContext): Program<string[]> {
  const etags: string[] = [];
  for (const write of writes) etags.push(yield* applyWrite(write, context));
  return etags;
}

function* applyWrite(write: PreparedWrite, context: BatchContext): Program<string> {
  const tables = context.tables(write.bucket);
  tables.writes += 1;
  const current = yield* currentRow(tables, write.key);
  checkEtag(write, current);
  if (current !== undefined) context.documents.forget(current.etag);
  if (write.op === 'put') return yield* applyPut(tables, write, current, context);
  if (current !== undefined) yield* deleteRow(tables, current);
  return '';
}

function* applyPut(
  tables: Tables,
  put: PreparedPut,
  current: CurrentRow | undefined,
  { etags, now }: BatchContext,
): Program<string> {
  const { key, json, index } = forLayout(put, tables.layout);
  const row = { key, json, index, etag: etags.next(), mtime: now };
  yield* naming(tables, current === undefined ? insertRow(tables, row) : updateRow(tables, current, row));
  return row.etag;
}

function checkEtag({ bucket, key, ifEtag }: PreparedWrite, current: CurrentRow | undefined): void {
  const actual = current?.etag ?? null;
  if (ifEtag !== undefined && ifEtag !== actual) throw new EtagConflictError(bucket, key, ifEtag, actual);
}
