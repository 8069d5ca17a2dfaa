/** Rows with documents, and how they are parsed without holding the event loop. */
import { Turn } from '../../runtime/turns.ts';
import { parseDocument } from '../parse-document.ts';
import type { Stored } from '../store.ts';
import type { Documents } from './documents.ts';

export type DocumentRow = readonly [key: string, etag: string, mtime: number, json: string];

/** Characters of JSON that are parsed without yielding. */
const PIECE = 64 * 1024;

/** Parses rows; yields if there are many. @param keep whether the objects are likely to be asked for again */
export async function parseRows(
  documents: Documents,
  rows: readonly DocumentRow[],
  keep: boolean,
): Promise<Stored<object>[]> {
  const isLong = charactersOf(rows) > PIECE;
  const turn = new Turn();
  const found: Stored<object>[] = [];
  for (const row of rows) {
    if (isLong && turn.isOver) await turn.next();
    const [key, etag, mtime, json] = row;
    const cached = documents.cached(etag);
    found.push(cached ?? (keep ? documents.parse(...row) : { key, value: parseDocument(json), etag, mtime }));
  }
  return found;
}

function charactersOf(rows: readonly DocumentRow[]): number {
  return rows.reduce((sum, [, , , json]) => sum + json.length, 0);
}
