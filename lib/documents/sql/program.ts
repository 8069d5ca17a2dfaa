/**
 * What is done with several statements, written once for all databases: a *program* says which statements to run, gets
 * their rows, and goes on from there. It knows nothing of connections: a driver runs it, at once where the database is
 * in this process (`sqlite/run.ts`), else with an await for each group of statements.
 */
import type { RawBuilder } from 'kysely';
import type { SqlDialect } from './dialect.ts';

/** What a statement answers: rows, the number of the row that it inserted (as its one row), or nothing. */
export type Answer = 'rows' | 'id' | 'nothing';

export class Statement {
  readonly sql: string;
  readonly answer: Answer;
  /** What a driver has prepared for it. */
  handle: unknown;

  constructor(sql: string, answer: Answer) {
    this.sql = sql;
    this.answer = answer;
  }
}

export interface Step {
  readonly statement: Statement;
  readonly values: readonly unknown[];
}

export type Row = readonly unknown[];

/**
 * Yields steps that do not depend on each other's rows, to be run in their order, and gets the rows of each. When one
 * fails, its error is thrown into the program.
 */
export type Program<T> = Generator<readonly Step[], T, readonly (readonly Row[])[]>;

/** A statement that is run once, with the values that stand in it. */
export function once(dialect: SqlDialect, statement: RawBuilder<unknown>, answer: Answer = 'nothing'): Step {
  const { sql, parameters } = dialect.compile(statement);
  return { statement: new Statement(sql, answer), values: parameters };
}
