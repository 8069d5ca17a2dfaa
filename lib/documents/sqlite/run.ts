/** Runs the programs of `sql/` synchronously on a connection. */
import type Database from 'better-sqlite3';
import type { Program, Row, Statement } from '../sql/program.ts';
import type { Connection } from './connection.ts';

export function run<T>({ db }: Connection, program: Program<T>): T {
  let turn = program.next();
  while (turn.done !== true) {
    let rows: (readonly Row[])[];
    try {
      rows = turn.value.map(({ statement, values }) => runStep(db, statement, values));
    } catch (error) {
      turn = program.throw(error);
      continue;
    }
    turn = program.next(rows);
  }
  return turn.value;
}

/** The prepared statement, whose rows are arrays. */
export function prepared(db: Database.Database, statement: Statement): Database.Statement {
  return (statement.handle as Database.Statement | undefined) ?? prepare(db, statement, 'raw');
}

/** The same for a query of one column, whose rows are plain values. Use only one of the two for a given statement. */
export function plucked(db: Database.Database, statement: Statement): Database.Statement {
  return (statement.handle as Database.Statement | undefined) ?? prepare(db, statement, 'pluck');
}

function prepare(db: Database.Database, statement: Statement, form: 'raw' | 'pluck'): Database.Statement {
  const made = db.prepare(statement.sql);
  if (statement.answer === 'rows') made[form]();
  statement.handle = made;
  return made;
}

const NONE: readonly Row[] = [];

function runStep(db: Database.Database, statement: Statement, values: readonly unknown[]): readonly Row[] {
  const one = prepared(db, statement);
  if (statement.answer === 'rows') return one.all(...values) as Row[];
  one.run(...values);
  return NONE;
}
