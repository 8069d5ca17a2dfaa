/** The tables of one version of a bucket, with their statements. */
import { type RawBuilder, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { parameter, Slot, type SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';
import { type Answer, Statement } from './program.ts';

/** Characters of compiled SQL to keep: some hundred shapes of queries. */
const COMPILED_CHARACTERS = 256 * 1024;
/** Statements of other kinds to keep; there is one for each set of fields that updates change. */
const NAMED_STATEMENTS = 200;

/** A query in SQL, with the slot of each of its parameters. */
export interface Compiled {
  readonly sql: string;
  readonly slots: readonly number[];
}

export class Tables {
  readonly layout: Layout;
  readonly dialect: SqlDialect;
  /** Counts the writes that this process has made or attempted. */
  writes = 0;
  readonly #queries = new LRUCache<string, readonly Compiled[]>({ maxSize: COMPILED_CHARACTERS });
  readonly #statements = new LRUCache<string, Statement>({ max: NAMED_STATEMENTS });
  /** Selects the etag of a key. */
  readonly etagOf: Statement;
  /** These select `key`, `etag`, `mtime` and `value` by id, by key, and by a list of keys. */
  readonly documentOf: Statement;
  readonly documentByKey: Statement;
  readonly documentsOf: Statement;
  /** The same by id, with no text for a value. */
  readonly bareOf: Statement;

  constructor(layout: Layout, dialect: SqlDialect) {
    this.layout = layout;
    this.dialect = dialect;
    const [rows, values] = [dialect.table(layout.table), dialect.table(layout.values)];
    const document = sql`select key, etag, mtime, value from ${rows} join ${values} using (id)`;
    const query = (statement: RawBuilder<unknown>) => new Statement(dialect.compile(statement).sql, 'rows');
    this.etagOf = query(sql`select etag from ${rows} where key = ${parameter}`);
    this.documentOf = query(sql`${document} where id = ${parameter}`);
    this.documentByKey = query(sql`${document} where key = ${parameter}`);
    this.bareOf = query(sql`select key, etag, mtime, '' from ${rows} where id = ${parameter}`);
    this.documentsOf = query(sql`${document} where ${dialect.oneOf(sql.id('key'), parameter, 'string')}`);
  }

  /** The SQL of a list query, compiled once for each shape. */
  query(shape: string, compile: () => readonly RawBuilder<unknown>[]): readonly Compiled[] {
    const known = this.#queries.get(shape);
    if (known !== undefined) return known;
    const compiled = compile().map((part) => compileQuery(part, this.dialect));
    const size = compiled.reduce((sum, part) => sum + part.sql.length, shape.length);
    this.#queries.set(shape, compiled, { size });
    return compiled;
  }

  /** A statement with positional parameters, compiled once for each name. */
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
