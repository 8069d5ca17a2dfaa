/** How SQL databases differ in the statements that they all share. */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import type { IndexType, Scalar } from '../store.ts';

/** The place of a parameter: queries are compiled once and run with many values. */
export class Slot {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }
}

/** A parameter of a statement that gets its values by position. */
export const parameter = sql.val(null);

/** A scalar as it is passed as a parameter and returned in rows. */
export type Encoded = string | number | boolean;

export interface SqlDialect {
  compile(query: RawBuilder<unknown>): CompiledQuery;
  /** The table of that name, where this database has it. */
  table(name: string): RawBuilder<unknown>;
  /** The name of a table or index as the database keeps it: some databases cut long ones short. */
  identifier(name: string): string;
  encode(value: Scalar): Encoded;
  /** A list as one parameter, so that its length does not change the statement. */
  encodeList(values: readonly Scalar[]): unknown;
  /** Whether the column is in a list that {@link encodeList} made. */
  oneOf(column: RawBuilder<unknown>, list: Slot | typeof parameter, type: IndexType): RawBuilder<boolean>;
  /** Those rows of a table whose ids are in a list that {@link encodeList} made: they are looked at, and no others. */
  only(table: RawBuilder<unknown>, ids: Slot): RawBuilder<unknown>;
  /**
   * Whether the column contains the text, byte by byte; see {@link encodePart}.
   * @param pieces what {@link piecesOf} has said of the text
   */
  substring(column: RawBuilder<unknown>, text: Slot | RawBuilder<unknown>, pieces?: Slot): RawBuilder<boolean>;
  /** A text to look for as {@link substring} takes it. */
  encodePart(text: string): string;
  /** The pieces of a text by which an index finds it, as a parameter; undefined where the text itself is enough. */
  piecesOf?(text: string): unknown;
  /**
   * A condition that is always true, but ends the statement once its answer is no longer wanted. Absent if the database
   * has another way to do that.
   */
  readonly wanted?: RawBuilder<boolean>;
  /** A term of ORDER BY that puts absent values before all others (so last when descending). */
  order(column: RawBuilder<unknown>, order: 'asc' | 'desc'): RawBuilder<unknown>;
  /** A column of an index that serves {@link order} in both directions. */
  indexed(column: RawBuilder<unknown>): RawBuilder<unknown>;
  /** A column that no index is to be used for; absent where the planner knows how many rows have a value. */
  unindexed?(column: RawBuilder<unknown>): RawBuilder<unknown>;
  /** A query as a table to select from; some databases require a name for it. */
  derived(query: RawBuilder<unknown>): RawBuilder<unknown>;
  readonly types: ColumnTypes;
  /**
   * Appended to the SELECT that finds a row which its transaction is going to change, so that nobody else changes it
   * first; empty if there is only one writer at a time anyway.
   */
  readonly forUpdate: RawBuilder<unknown>;
  /** Keeps a table as it is until the transaction ends, while others may read it; absent if that needs no statement. */
  keep?(table: string): RawBuilder<unknown>;
  /** Returns a row if there is a table of that name. */
  tableNamed(name: string): RawBuilder<unknown>;
  /** Takes from a table of rows what is known by its name and is made anew: before it gets another one. */
  untie?(table: string): readonly RawBuilder<unknown>[];
  /** Names of indexes that a table may have beside those of its declaration. */
  partIndexes?(table: string): readonly string[];
  /** Gives an index another name, if there is one; absent where indexes keep the names that they were made with. */
  renameIndex?(from: string, to: string): RawBuilder<unknown>;
  /** The unique index that a statement violated, from the database's error; undefined for any other error. */
  collision(error: unknown): Collision | undefined;
  readonly planner?: Planner;
}

/** How columns and tables are declared. */
export interface ColumnTypes extends Readonly<Record<IndexType, string>> {
  /** The id of a row, assigned by the database. */
  readonly rowId: string;
  /** The id of a row of another table, or the number of elements of an array. */
  readonly integer: string;
  /** Milliseconds since the epoch. */
  readonly time: string;
  /** For keys, etags and documents. */
  readonly text: string;
  /** Options after the columns of a table; `keyedTable` for a table of elements, which is stored by its primary key. */
  readonly table: string;
  readonly keyedTable: string;
}

export interface Collision {
  readonly table: string;
  /** A column of it, or an index on one, as `Layout` names them. */
  readonly column: string;
}

/** An index as a planner needs to know it. */
export interface IndexPlan {
  readonly table: string;
  readonly name: string;
  /**
   * Either on fields of the rows, followed by the key unless the index is unique, and perhaps of those rows only that have
   * a sparse field; or on the elements of an array field, followed by the rows' ids, or by a scalar if `order` is given.
   */
  readonly of:
    | { readonly kind: 'rows'; readonly fields: readonly string[]; readonly hasKey: boolean; readonly having?: string }
    | { readonly kind: 'elements'; readonly field: string; readonly order?: string };
}

/** For a database whose planner has to be told about new tables. */
export interface Planner {
  /** Run before the first table is created, and after the last one. */
  readonly reload: RawBuilder<unknown>;
  note(index: IndexPlan, declaration: Declaration): RawBuilder<unknown>;
  forget(table: string): RawBuilder<unknown>;
  /** A table has another name. */
  rename(from: string, to: string): RawBuilder<unknown>;
}
