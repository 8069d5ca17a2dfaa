/** Carries the writes of one batch out, within the transaction of the caller. */
import { EtagConflictError } from '../errors.ts';
import type { Documents } from './documents.ts';
import type { EtagSource } from './etags.ts';
import { forLayout, type PreparedWrite } from './row.ts';
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
export function applyBatch(writes: readonly PreparedWrite[], context: BatchContext): string[] {
  return writes.map((write) => applyWrite(write, context));
}

function applyWrite(write: PreparedWrite, { tables: tablesOf, etags, documents, now }: BatchContext): string {
  const tables = tablesOf(write.bucket);
  tables.writes += 1;
  const current = currentRow(tables, write.key);
  checkEtag(write, current);
  if (current !== undefined) {
    documents.forget(current.etag);
  }
  if (write.op === 'del') {
    if (current !== undefined) {
      deleteRow(tables, current);
    }
    return '';
  }
  const { key, json, index } = forLayout(write, tables.layout);
  const row = { key, json, index, etag: etags.next(), mtime: now };
  if (current === undefined) {
    insertRow(tables, row);
  } else {
    updateRow(tables, current, row);
  }
  return row.etag;
}

function checkEtag({ bucket, key, ifEtag }: PreparedWrite, current: CurrentRow | undefined): void {
  const actual = current?.etag ?? null;
  if (ifEtag !== undefined && ifEtag !== actual) {
    throw new EtagConflictError(bucket, key, ifEtag, actual);
  }
}
