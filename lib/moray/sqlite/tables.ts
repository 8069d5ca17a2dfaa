/** The tables of one version of a bucket, with the statements that were prepared for them. */
import type Database from 'better-sqlite3';
import { type RawBuilder, sql } from 'kysely';
import { LruMap } from '../lru.ts';
import { Slot } from '../sql/dialect.ts';
import type { Layout } from '../sql/layout.ts';
import type { Connection } from './connection.ts';
import { parameter, sqliteDialect } from './dialect.ts';

/** Characters of SQL whose statements stay prepared: some hundred shapes of queries. SQLite needs many bytes for each. */
const PREPARED_CHARACTERS = 256 * 1024;
/** Statements of other kinds: which fields an update changes makes many. */
const NAMED_STATEMENTS = 200;

/** A prepared query and which value goes where. */
export interface Prepared {
  readonly statement: Database.Statement;
  readonly sql: string;
  readonly slots: readonly number[];
}

export class Tables {
  readonly layout: Layout;
  /** Counts what this process has written, or has tried to. */
  writes = 0;
  readonly #connection: Connection;
  readonly #queries = new LruMap<string, readonly Prepared[]>(PREPARED_CHARACTERS);
  readonly #statements = new LruMap<string, Database.Statement>(NAMED_STATEMENTS);
  #etagOf: Database.Statement | undefined;
  #rowOf: Database.Statement | undefined;
  #rowsOf: Database.Statement | undefined;
  #documentOf: Database.Statement | undefined;

  constructor(connection: Connection, layout: Layout) {
    this.#connection = connection;
    this.layout = layout;
  }

  /** The statements of a query, compiled when a query of that shape is seen for the first time. */
  query(shape: string, compile: () => readonly RawBuilder<unknown>[]): readonly Prepared[] {
    const known = this.#queries.get(shape);
    if (known !== undefined) {
      return known;
    }
    const prepared = compile().map((part) => this.#prepare(part));
    const characters = prepared.reduce((sum, part) => sum + part.sql.length, shape.length);
    this.#queries.set(shape, prepared, characters);
    return prepared;
  }

  /** A statement with positional parameters, prepared once under its name. */
  statement(name: string, compile: () => RawBuilder<unknown>): Database.Statement {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#connection.db.prepare(sqliteDialect.compile(compile()).sql);
      this.#statements.set(name, statement);
    }
    return statement;
  }

  get etagOf(): Database.Statement {
    this.#etagOf ??= this.statement(
      'etagOf',
      () => sql`select etag from ${sql.id(this.layout.table)} where key = ${parameter}`,
    ).pluck();
    return this.#etagOf;
  }

  /** Rows of `id` and `etag`, as those of queries. */
  get rowOf(): Database.Statement {
    this.#rowOf ??= this.statement(
      'rowOf',
      () => sql`select id, etag from ${sql.id(this.layout.table)} where key = ${parameter}`,
    ).raw();
    return this.#rowOf;
  }

  get rowsOf(): Database.Statement {
    this.#rowsOf ??= this.statement(
      'rowsOf',
      () => sql`select id, etag from ${sql.id(this.layout.table)}
        where key in (select value from json_each(${parameter}))`,
    ).raw();
    return this.#rowsOf;
  }

  /** `key`, `mtime` and `value` of a row. */
  get documentOf(): Database.Statement {
    this.#documentOf ??= this.statement(
      'documentOf',
      () => sql`select key, mtime, value from ${sql.id(this.layout.table)} join ${sql.id(this.layout.values)} using (id)
        where id = ${parameter}`,
    ).raw();
    return this.#documentOf;
  }

  #prepare(part: RawBuilder<unknown>): Prepared {
    const compiled = sqliteDialect.compile(part);
    const slots = compiled.parameters.map((parameter) => {
      if (!(parameter instanceof Slot)) {
        throw new TypeError(`a value was compiled into ${compiled.sql}`);
      }
      return parameter.at;
    });
    return { statement: this.#connection.db.prepare(compiled.sql).raw(), sql: compiled.sql, slots };
  }
}

/** The values of a prepared query in the order of its statement. */
export function inOrder({ slots }: Prepared, values: readonly unknown[]): unknown[] {
  return slots.map((slot) => values[slot]);
}
