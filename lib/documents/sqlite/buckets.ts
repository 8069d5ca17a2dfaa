/** The buckets of a data folder as this process knows them, kept in step with what other processes declare. */

import { sql } from 'kysely';
import { type Declaration, sameIndexes } from '../declaration.ts';
import { InvalidValueError } from '../errors.ts';
import { type IndexValue, indexValue } from '../index-value.ts';
import { Layout } from '../sql/layout.ts';
import type { Connection } from './connection.ts';
import { parameter } from './dialect.ts';
import { insertRow } from './rows.ts';
import { createTables, dropTables, readBuckets, readStatistics, writeBucket } from './schema.ts';
import { Tables } from './tables.ts';

/** Rows that are copied at once into the tables of a new version. */
const PAGE = 500;

export class Buckets {
  readonly #connection: Connection;
  readonly #warn: (fields: object, message: string) => void;
  #tables = new Map<string, Tables>();
  #schemaVersion: unknown;

  constructor(connection: Connection, warn: (fields: object, message: string) => void) {
    this.#connection = connection;
    this.#warn = warn;
  }

  /** @throws TypeError when the bucket was never opened */
  tables(bucket: string): Tables {
    const tables = this.#tables.get(bucket);
    if (tables === undefined) {
      throw new TypeError(`the bucket ${JSON.stringify(bucket)} is not open`);
    }
    return tables;
  }

  /** Looks whether another process has changed the schema; true when a bucket has other tables than before. */
  refresh(): boolean {
    const schemaVersion = this.#connection.schemaVersion();
    if (schemaVersion === this.#schemaVersion) {
      return false;
    }
    let changed = false;
    const tables = new Map<string, Tables>();
    for (const declaration of readBuckets(this.#connection).values()) {
      const known = this.#tables.get(declaration.name);
      const same = known?.layout.declaration.version === declaration.version;
      changed ||= !same;
      tables.set(declaration.name, same ? known : new Tables(this.#connection, new Layout(declaration)));
    }
    this.#tables = tables;
    this.#schemaVersion = schemaVersion;
    return changed;
  }

  /** Whether a bucket is new or newer than what the database has. @throws TypeError when its version has other indexes */
  isOutdated(bucket: Declaration): boolean {
    const current = this.#tables.get(bucket.name)?.layout.declaration;
    if (current?.version === bucket.version && !sameIndexes(current, bucket)) {
      throw new TypeError(`bucket ${bucket.name}: version ${bucket.version} was stored with other indexes; raise it`);
    }
    return current === undefined || current.version < bucket.version;
  }

  /** Creates or upgrades those of the buckets that need it; within a write transaction. */
  declare(buckets: readonly Declaration[]): void {
    this.refresh();
    const outdated = buckets.filter((bucket) => this.isOutdated(bucket));
    if (outdated.length === 0) {
      return;
    }
    readStatistics(this.#connection);
    for (const bucket of outdated) {
      const old = this.#tables.get(bucket.name);
      const tables = new Tables(this.#connection, new Layout(bucket));
      createTables(this.#connection, tables.layout);
      if (old !== undefined) {
        this.#move(old, tables);
        dropTables(this.#connection, old.layout);
      }
      writeBucket(this.#connection, bucket);
    }
    readStatistics(this.#connection);
  }

  /** Copies every object into the tables of the new version. @throws UniqueAttributeError */
  #move(old: Tables, tables: Tables): void {
    const { table, values } = old.layout;
    const page = old.statement(
      'page',
      () => sql`select id, key, etag, mtime, value from ${sql.id(table)} join ${sql.id(values)} using (id)
        where id > ${parameter} order by id limit ${parameter}`,
    );
    type Row = { id: number; key: string; etag: string; mtime: number; value: string };
    for (let rows = page.all(0, PAGE) as Row[]; rows.length > 0; rows = page.all(rows.at(-1)?.id, PAGE) as Row[]) {
      for (const { key, etag, mtime, value } of rows) {
        insertRow(tables, { key, etag, mtime, json: value, index: this.#reindex(tables.layout, key, value) });
      }
    }
  }

  /** What is stored already cannot be refused: a value that a new index does not take is absent from it. */
  #reindex(layout: Layout, key: string, json: string): IndexValue[] {
    const document: Record<string, unknown> = JSON.parse(json);
    return layout.fields.map(([field, spec]) => {
      try {
        return indexValue(layout.bucket, field, spec, document[field]);
      } catch (error) {
        if (error instanceof InvalidValueError) {
          this.#warn({ bucket: layout.bucket, key, field, err: error }, 'an index leaves a stored value out');
          return null;
        }
        throw error;
      }
    });
  }
}
