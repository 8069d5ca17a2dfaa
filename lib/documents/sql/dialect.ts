/** What SQL databases say differently, as far as the compiler of queries is concerned. */
import type { CompiledQuery, RawBuilder } from 'kysely';
import type { IndexType, Scalar } from '../store.ts';

/** The place of a parameter: statements are compiled once and run with many values. */
export class Slot {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }
}

export interface SqlDialect {
  compile(query: RawBuilder<unknown>): CompiledQuery;
  /** A scalar as a parameter. */
  encode(value: Scalar): unknown;
  /** A list as one parameter, so that its length does not change the statement. */
  encodeList(values: readonly Scalar[]): unknown;
  /** True when the column is one of the list that {@link encodeList} made. */
  oneOf(column: RawBuilder<unknown>, list: Slot, type: IndexType): RawBuilder<boolean>;
  /** True when the column holds the text somewhere, byte by byte. */
  substring(column: RawBuilder<unknown>, text: Slot): RawBuilder<boolean>;
  /**
   * A condition that is always true, and that ends the statement once nobody waits for its answer; where the database
   * has another way to do that, there is none.
   */
  readonly wanted?: RawBuilder<boolean>;
  /** A term of ORDER BY with the absent before every value (so last when descending). */
  order(column: RawBuilder<unknown>, order: 'asc' | 'desc'): RawBuilder<unknown>;
}
