/**
 * Pieces of one letter and of two, by which texts are found that pg_trgm has nothing of: those in which no three letters or
 * digits follow each other.
 */
import { type RawBuilder, sql } from 'kysely';

/** What pg_trgm takes for a letter or a digit, whatever the locale. */
const ENOUGH = /[A-Za-z0-9]{3}/;
/** Each further one narrows little and is looked up all the same. */
const MOST_PIECES = 8;

/** All pieces of a column's text, as an expression that an index may be on: always the same text. */
export function shortPieces(column: RawBuilder<unknown>): RawBuilder<unknown> {
  // Pairs from the first letter on and from the second, apart from each other by a mark; then the letters.
  const pairs = (text: RawBuilder<unknown>) => sql`regexp_replace(${text}, '(..)', E'\\\\1\\001', 'g')`;
  return sql`(string_to_array(${pairs(column)} || E'\\001' || ${pairs(sql`substr(${column}, 2)`)}, E'\\001') || string_to_array(${column}, null))`;
}

/** Undefined for a text that pg_trgm is enough for, or that has no letter at all. */
export function piecesOf(text: string): string[] | undefined {
  if (text === '' || ENOUGH.test(text)) return undefined;
  const letters = [...text];
  if (letters.length === 1) return letters;
  const pairs = new Set(letters.slice(1).map((letter, at) => `${letters[at]}${letter}`));
  return [...pairs].slice(0, MOST_PIECES);
}
