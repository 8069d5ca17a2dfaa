/** What SQL databases say differently, as far as the statements are concerned that all of them share. */
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

/** A parameter of a statement whose values are given by position. */
export const parameter = sql.val(null);

/** A scalar as a parameter, and as it comes back. */
export type Encoded = string | number | boolean;

export interface SqlDialect {
  compile(query: RawBuilder<unknown>): CompiledQuery;
  encode(value: Scalar): Encoded;
  /** A list as one parameter, so that its length does not change the statement. */
  encodeList(values: readonly Scalar[]): unknown;
  /** True when the column is one of the list that {@link encodeList} made. */
  oneOf(column: RawBuilder<unknown>, list: Slot | typeof parameter, type: IndexType): RawBuilder<boolean>;
  /** True when the column holds the text somewhere, byte by byte. */
  substring(column: RawBuilder<unknown>, text: Slot): RawBuilder<boolean>;
  /**
   * A condition that is always true, and that ends the statement once nobody waits for its answer; where the database
   * has another way to do that, there is none.
   */
  readonly wanted?: RawBuilder<boolean>;
  /** A term of ORDER BY with the absent before every value (so last when descending). */
  order(column: RawBuilder<unknown>, order: 'asc' | 'desc'): RawBuilder<unknown>;
  /** A query as a table to select from; some databases want a name for it. */
  derived(query: RawBuilder<unknown>): RawBuilder<unknown>;
  readonly types: ColumnTypes;
  /** Behind an INSERT, to be answered the `id` of the row; empty where the database tells it anyway. */
  readonly returningId: RawBuilder<unknown>;
  /** Answers a row when there is a table of that name. */
  tableNamed(name: string): RawBuilder<unknown>;
  /** Which uniqueness a statement broke, from the database's error; undefined when it is another one. */
  collision(error: unknown): Collision | undefined;
  readonly planner?: Planner;
}

/** How columns are declared, and what stands behind them. */
export interface ColumnTypes extends Readonly<Record<IndexType, string>> {
  /** The number of a row, which the database gives. */
  readonly rowId: string;
  /** The number of a row of another table; also of elements of an array. */
  readonly integer: string;
  /** Milliseconds since the epoch. */
  readonly time: string;
  /** Of keys, etags and documents. */
  readonly text: string;
  /** Of every table, and of one that is nothing but its primary key. */
  readonly table: string;
  readonly keyedTable: string;
}

export interface Collision {
  readonly table: string;
  /** A column of it, or an index on one, as `Layout` names them. */
  readonly column: string;
}

/** An index, as far as a planner wants to know of it. */
export interface IndexPlan {
  readonly table: string;
  readonly name: string;
  /**
   * On fields of the rows, the key behind them unless it is of unique ones; or on the elements of an array field, with
   * the rows' numbers behind them or in the order of a scalar.
   */
  readonly of:
    | { readonly kind: 'rows'; readonly fields: readonly string[]; readonly hasKey: boolean }
    | { readonly kind: 'elements'; readonly field: string; readonly order?: string };
}

/** For a database whose planner is told about tables when they are made. */
export interface Planner {
  /** Before the first table is made, and after the last one. */
  readonly reload: RawBuilder<unknown>;
  note(index: IndexPlan, declaration: Declaration): RawBuilder<unknown>;
  forget(table: string): RawBuilder<unknown>;
}
