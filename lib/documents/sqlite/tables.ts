/** The tables of one version of a bucket, with the statements that were prepared for them. */
import type Database from 'better-sqlite3';
import { type RawBuilder, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { Slot } from '../sql/dialect.ts';
import type { Layout } from '../sql/layout.ts';
import type { Connection } from './connection.ts';
import { parameter, sqliteDialect } from './dialect.ts';

/** Characters of SQL that stay compiled: some hundred shapes of queries. */
const COMPILED_CHARACTERS = 256 * 1024;
/** Statements of other kinds: which fields an update changes makes many. */
const NAMED_STATEMENTS = 200;

/** A query in SQL, and which value goes where. */
export interface Compiled {
  readonly sql: string;
  readonly slots: readonly number[];
}

export class Tables {
  readonly layout: Layout;
  /** Counts what this process has written, or has tried to. */
  writes = 0;
  readonly #connection: Connection;
  readonly #queries = new LRUCache<string, readonly Compiled[]>({ maxSize: COMPILED_CHARACTERS });
  readonly #statements = new LRUCache<string, Database.Statement>({ max: NAMED_STATEMENTS });
  #etagOf: Database.Statement | undefined;
  #documentByKey: Database.Statement | undefined;
  #documentsOf: Database.Statement | undefined;
  /** Finds `key`, `etag`, `mtime` and `value` of a row. */
  readonly documentOf: string;

  constructor(connection: Connection, layout: Layout) {
    this.#connection = connection;
    this.layout = layout;
    const [rows, values] = [sql.id(layout.table), sql.id(layout.values)];
    this.documentOf = sqliteDialect.compile(
      sql`select key, etag, mtime, value from ${rows} join ${values} using (id) where id = ${parameter}`,
    ).sql;
  }

  /** The SQL of a query, compiled when a query of that shape is seen for the first time. */
  query(shape: string, compile: () => readonly RawBuilder<unknown>[]): readonly Compiled[] {
    const known = this.#queries.get(shape);
    if (known !== undefined) {
      return known;
    }
    const compiled = compile().map(compileQuery);
    const characters = compiled.reduce((sum, part) => sum + part.sql.length, shape.length);
    this.#queries.set(shape, compiled, { size: characters });
    return compiled;
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

  /** The row of a key, as those of {@link documentsOf}. */
  get documentByKey(): Database.Statement {
    this.#documentByKey ??= this.statement(
      'documentByKey',
      () => sql`select key, etag, mtime, value from ${sql.id(this.layout.table)}
        join ${sql.id(this.layout.values)} using (id) where key = ${parameter}`,
    ).raw();
    return this.#documentByKey;
  }

  /** The rows of keys, given as a JSON array: `key`, `etag`, `mtime` and `value`. */
  get documentsOf(): Database.Statement {
    this.#documentsOf ??= this.statement(
      'documentsOf',
      () => sql`select key, etag, mtime, value from ${sql.id(this.layout.table)}
        join ${sql.id(this.layout.values)} using (id) where key in (select value from json_each(${parameter}))`,
    ).raw();
    return this.#documentsOf;
  }
}

function compileQuery(part: RawBuilder<unknown>): Compiled {
  const compiled = sqliteDialect.compile(part);
  const slots = compiled.parameters.map((parameter) => {
    if (!(parameter instanceof Slot)) {
      throw new TypeError(`a value was compiled into ${compiled.sql}`);
    }
    return parameter.at;
  });
  return { sql: compiled.sql, slots };
}

/** The values of a query in the order of its statement. */
export function inOrder({ slots }: Compiled, values: readonly unknown[]): unknown[] {
  return slots.map((slot) => values[slot]);
}
