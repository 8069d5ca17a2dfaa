/** The buckets of a database as this process knows them, kept in step with what other processes declare. */
import { sql } from 'kysely';
import { type Declaration, sameIndexes } from '../declaration.ts';
import { InvalidValueError } from '../errors.ts';
import { type IndexValue, indexValue } from '../index-value.ts';
import { naming } from './collisions.ts';
import { parameter, type SqlDialect } from './dialect.ts';
import { addedFields, extendTables } from './extend.ts';
import { Layout } from './layout.ts';
import { once, type Program, type Step } from './program.ts';
import { insertRow } from './rows.ts';
import { createIndexes, createTables, dropTables, writeDeclaration } from './schema.ts';
import { Tables } from './tables.ts';

/** Number of rows copied at a time into the tables of a new version. */
const PAGE = 500;

export class Buckets {
  readonly #dialect: SqlDialect;
  readonly #warn: (fields: object, message: string) => void;
  #tables: ReadonlyMap<string, Tables> = new Map();

  constructor(dialect: SqlDialect, warn: (fields: object, message: string) => void) {
    this.#dialect = dialect;
    this.#warn = warn;
  }

  /** @throws TypeError when the bucket was never opened */
  tables(bucket: string): Tables {
    const tables = this.#tables.get(bucket);
    if (tables === undefined) throw new TypeError(`the bucket ${JSON.stringify(bucket)} is not open`);
    return tables;
  }

  has(bucket: string): boolean {
    return this.#tables.has(bucket);
  }

  /** Adopts the declarations that are now in force; returns whether a bucket has other tables than before. */
  adopt(declarations: Iterable<Declaration>): boolean {
    let changed = false;
    const tables = new Map<string, Tables>();
    for (const declaration of declarations) {
      const known = this.#tables.get(declaration.name);
      const same = known?.layout.declaration.version === declaration.version;
      changed ||= !same;
      tables.set(declaration.name, same ? known : this.#tablesOf(declaration));
    }
    this.#tables = tables;
    return changed;
  }

  /** Those whose version the database lacks. @throws TypeError when it has one with other indexes */
  outdated<B extends Declaration>(buckets: readonly B[]): B[] {
    return buckets.filter((bucket) => this.#isOutdated(bucket));
  }

  /**
   * Creates or upgrades those of the buckets that need it. Must run in a transaction that keeps others from doing the
   * same, after `adopt` in that transaction. @throws UniqueAttributeError
   */
  *declare(buckets: readonly Declaration[]): Program<void> {
    const outdated = this.outdated(buckets);
    if (outdated.length === 0) return;
    yield this.#reloadPlanner();
    for (const bucket of outdated) {
      const old = this.#tables.get(bucket.name);
      const tables = this.#tablesOf(bucket);
      const added = old && addedFields(old.layout.declaration, bucket);
      if (old && added) {
        yield* extendTables(old, tables, added, (...document) => this.#reindex(...document));
      } else {
        yield createTables(this.#dialect, tables.layout);
        if (old) yield* this.#move(old, tables);
        yield* naming([tables], createIndexes(this.#dialect, tables.layout));
        if (old) yield dropTables(this.#dialect, old.layout);
      }
      yield writeDeclaration(this.#dialect, bucket);
    }
    yield this.#reloadPlanner();
  }

  #isOutdated(bucket: Declaration): boolean {
    const current = this.#tables.get(bucket.name)?.layout.declaration;
    if (current?.version === bucket.version && !sameIndexes(current, bucket)) {
      throw new TypeError(
        `bucket ${bucket.name}: version ${bucket.version} is stored with other indexes; raise the version`,
      );
    }
    return current === undefined || current.version < bucket.version;
  }

  #tablesOf(declaration: Declaration): Tables {
    return new Tables(new Layout(declaration, this.#dialect.identifier), this.#dialect);
  }

  #reloadPlanner(): Step[] {
    return this.#dialect.planner ? [once(this.#dialect, this.#dialect.planner.reload)] : [];
  }

  /** Copies every object into the tables of the new version. */
  *#move(old: Tables, tables: Tables): Program<void> {
    const { table, values } = old.layout;
    const { table: named, keep } = this.#dialect;
    const select = () => sql`select id, key, etag, mtime, value from ${named(table)} join ${named(values)} using (id)
      where id > ${parameter} order by id limit ${parameter}`;
    const statement = old.statement('page', select, 'rows');
    const fields = tables.layout.fields.map(([field]) => field);
    if (keep !== undefined) yield [once(this.#dialect, keep(table))];
    for (let after = 0; ; ) {
      const [rows = []] = yield [{ statement, values: [after, PAGE] }];
      const inserts = (rows as [number, string, string, number, string][]).flatMap(([, key, etag, mtime, json]) =>
        insertRow(tables, { key, etag, mtime, json, index: this.#reindex(tables.layout, fields, key, json) }),
      );
      yield* naming([tables], inserts);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last[0] as number;
    }
  }

  /** Stored values cannot be refused any more: one that a new index cannot hold is left out of that index. */
  #reindex(layout: Layout, fields: readonly string[], key: string, json: string): IndexValue[] {
    const document: Record<string, unknown> = JSON.parse(json);
    return fields.map((field) => {
      try {
        return indexValue(layout.bucket, field, layout.spec(field), document[field]);
      } catch (error) {
        if (!(error instanceof InvalidValueError)) throw error;
        this.#warn(
          { bucket: layout.bucket, key, field, err: error },
          'a stored value does not fit its index and is left out of it',
        );
        return null;
      }
    });
  }
}
