/**
 * Operations that take several statements, written once for all databases: a *program* yields statements, gets their
 * rows, and goes on from there. It knows nothing about connections. A driver runs it: synchronously if the database is in
 * this process (`sqlite/run.ts`), otherwise with an await for each group of statements.
 */
import type { RawBuilder } from 'kysely';
import type { SqlDialect } from './dialect.ts';

export type Answer = 'rows' | 'nothing';

export class Statement {
  readonly sql: string;
  readonly answer: Answer;
  /** The driver's prepared statement. */
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
 * Yields steps that do not depend on each other's rows, to be run in order, and gets the rows of each. If a step fails,
 * its error is thrown into the program.
 */
export type Program<T> = Generator<readonly Step[], T, readonly (readonly Row[])[]>;

/** Runs programs on a database, on a connection of their own. Each is made anew for each attempt. */
export interface ProgramRunner {
  read<T>(program: () => Program<T>): Promise<T>;
  /** In a transaction that keeps out others who do the same. */
  write<T>(program: () => Program<T>): Promise<T>;
}

/** A statement that is run only once, with the values it contains. */
export function once(dialect: SqlDialect, statement: RawBuilder<unknown>, answer: Answer = 'nothing'): Step {
  const { sql, parameters } = dialect.compile(statement);
  return { statement: new Statement(sql, answer), values: parameters };
}
