/** The tables of one version of a bucket, with the statements that were made for them. */
import { type RawBuilder, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { parameter, Slot, type SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';
import { type Answer, Statement } from './program.ts';

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
  readonly dialect: SqlDialect;
  /** Counts what this process has written, or has tried to. */
  writes = 0;
  readonly #queries = new LRUCache<string, readonly Compiled[]>({ maxSize: COMPILED_CHARACTERS });
  readonly #statements = new LRUCache<string, Statement>({ max: NAMED_STATEMENTS });
  /** The etag of a key. */
  readonly etagOf: Statement;
  /** The `key`, `etag`, `mtime` and `value` of a row; of a key; and of all keys of a list. */
  readonly documentOf: Statement;
  readonly documentByKey: Statement;
  readonly documentsOf: Statement;

  constructor(layout: Layout, dialect: SqlDialect) {
    this.layout = layout;
    this.dialect = dialect;
    const [rows, values] = [sql.id(layout.table), sql.id(layout.values)];
    const document = sql`select key, etag, mtime, value from ${rows} join ${values} using (id)`;
    const query = (statement: RawBuilder<unknown>) => new Statement(dialect.compile(statement).sql, 'rows');
    this.etagOf = query(sql`select etag from ${rows} where key = ${parameter}`);
    this.documentOf = query(sql`${document} where id = ${parameter}`);
    this.documentByKey = query(sql`${document} where key = ${parameter}`);
    this.documentsOf = query(sql`${document} where ${dialect.oneOf(sql.id('key'), parameter, 'string')}`);
  }

  /** The SQL of a list query, compiled when one of that shape is seen for the first time. */
  query(shape: string, compile: () => readonly RawBuilder<unknown>[]): readonly Compiled[] {
    const known = this.#queries.get(shape);
    if (known !== undefined) return known;
    const compiled = compile().map((part) => compileQuery(part, this.dialect));
    const size = compiled.reduce((sum, part) => sum + part.sql.length, shape.length);
    this.#queries.set(shape, compiled, { size });
    return compiled;
  }

  /** A statement with positional parameters, made once under its name. */
  statement(name: string, compile: () => RawBuilder<unknown>, answer: Answer = 'nothing'): Statement {
    const known = this.#statements.get(name);
    if (known !== undefined) return known;
    const statement = new Statement(this.dialect.compile(compile()).sql, answer);
    this.#statements.set(name, statement);
    return statement;
  }
}

function compileQuery(part: RawBuilder<unknown>, dialect: SqlDialect): Compiled {
  const compiled = dialect.compile(part);
  const slots = compiled.parameters.map((one) => {
    if (!(one instanceof Slot)) throw new TypeError(`a value was compiled into ${compiled.sql}`);
    return one.at;
  });
  return { sql: compiled.sql, slots };
}

/** The values of a query in the order of its statement. */
export function inOrder({ slots }: Compiled, values: readonly unknown[]): unknown[] {
  return slots.map((slot) => values[slot]);
}
