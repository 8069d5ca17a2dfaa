/** What Moray keeps in PostgreSQL: buckets with their configuration and rows. Several servers may share it. */
import { crc32 } from 'node:zlib';
import { RESERVED } from '#lib/documents/moray/names.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { asUtf8, type Column, type ColumnType, isArrayType, toColumn } from './columns.ts';
import { MorayError, postgresError, uniqueAttribute } from './errors.ts';

export interface IndexConfig {
  readonly type: ColumnType;
  readonly unique?: boolean;
}

/** A bucket's configuration, as servers read it and keep it in their caches. */
export interface BucketConfig {
  readonly name: string;
  readonly index: Readonly<Record<string, IndexConfig>>;
  readonly version: number;
  /** Fields whose columns do not hold every row's value yet, by the version that added them; absent: never reindexed. */
  readonly reindexing?: Readonly<Record<string, readonly string[]>>;
  readonly mtime: number;
}

export interface Row {
  readonly key: string;
  readonly id: number;
  readonly json: string;
  readonly etag: string;
  readonly mtime: number;
  readonly version: number | null;
  /** By lower-case name: PostgreSQL folds names without quotes. */
  readonly columns: Readonly<Record<string, Column>>;
}

interface Table {
  config: BucketConfig;
  /** The columns that exist and their types; a changed configuration does not change those. */
  readonly columns: Map<string, IndexConfig>;
  readonly rows: Map<string, Row>;
  /** By unique column: the keys of the rows that hold a value. */
  readonly unique: Map<string, Map<Column, string>>;
}

const LONGEST_KEY = 2704;

/** A machine of its own: what a test does to this process's Date does not concern it. */
const OWN_CLOCK: Clock = { now: () => performance.timeOrigin + performance.now() };

export class MorayStorage {
  readonly #tables = new Map<string, Table>();
  readonly #clock: Clock;
  #undo: (() => void)[] | undefined;
  #lastId = 0;

  constructor(clock: Clock = OWN_CLOCK) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  get names(): string[] {
    return [...this.#tables.keys()];
  }

  config(bucket: string): BucketConfig | undefined {
    return this.#tables.get(bucket)?.config;
  }

  rows(bucket: string): Row[] {
    return [...(this.#tables.get(bucket)?.rows.values() ?? [])];
  }

  row(bucket: string, key: string): Row | undefined {
    return this.#tables.get(bucket)?.rows.get(asUtf8(key));
  }

  hasColumn(bucket: string, column: string): boolean {
    return this.#tables.get(bucket)?.columns.has(column.toLowerCase()) === true;
  }

  create(config: BucketConfig): void {
    const table: Table = { config, columns: new Map(), rows: new Map(), unique: new Map() };
    for (const [field, index] of Object.entries(config.index)) addColumn(table, field, index);
    this.#tables.set(config.name, table);
  }

  drop(bucket: string): void {
    this.#tables.delete(bucket);
  }

  /** Adds and drops columns as the new configuration says; one whose type changed stays as it is. */
  alter(config: BucketConfig): void {
    const table = this.#table(config.name);
    const before = table.config.index;
    for (const field of Object.keys(before)) {
      if (config.index[field] !== undefined) continue;
      table.columns.delete(field.toLowerCase());
      table.unique.delete(field.toLowerCase());
    }
    for (const [key, row] of table.rows) {
      const kept = Object.entries(row.columns).filter(([column]) => table.columns.has(column));
      table.rows.set(key, { ...row, columns: Object.fromEntries(kept) });
    }
    for (const [field, index] of Object.entries(config.index)) {
      if (before[field] === undefined) addColumn(table, field, index);
    }
    table.config = config;
  }

  setReindexing(bucket: string, reindexing: BucketConfig['reindexing']): void {
    const table = this.#table(bucket);
    const { reindexing: _before, ...config } = table.config;
    table.config = { ...config, ...(reindexing && { reindexing }) };
  }

  /** All of the writes that `work` does, or none. */
  transaction<T>(work: () => T): T {
    const undo: (() => void)[] = [];
    this.#undo = undo;
    try {
      return work();
    } catch (error) {
      for (const revert of undo.toReversed()) revert();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  /** Writes a value under a server's idea of the configuration. Answers the etag. */
  put(config: BucketConfig, key: string, value: object): string {
    if (Buffer.byteLength(key) > LONGEST_KEY) {
      throw postgresError(`index row size ${Buffer.byteLength(key)} exceeds btree version 4 maximum ${LONGEST_KEY}`);
    }
    if (key.includes('\0')) throw postgresError('invalid byte sequence for encoding "UTF8": 0x00');
    const before = this.row(config.name, key);
    const json = JSON.stringify(value);
    const etag = crc32(json).toString(16).toUpperCase();
    this.#lastId += 1;
    this.#write(config, {
      key: asUtf8(key),
      id: before?.id ?? this.#lastId,
      json,
      etag,
      mtime: Math.floor(this.now()),
      version: config.reindexing ? config.version : (before?.version ?? null),
      columns: this.columnsOf(config, value as Readonly<Record<string, unknown>>, before),
    });
    return etag;
  }

  /** Replaces a row as it is given. */
  replace(config: BucketConfig, row: Row): void {
    this.#write(config, row);
  }

  remove(bucket: string, key: string): Row | undefined {
    const table = this.#table(bucket);
    const row = table.rows.get(asUtf8(key));
    if (row === undefined) return undefined;
    this.#set(table, row.key, undefined);
    return row;
  }

  /** The columns of a value; those that the configuration does not know stay as they are. */
  columnsOf(config: BucketConfig, value: Readonly<Record<string, unknown>>, before?: Row): Record<string, Column> {
    const columns: Record<string, Column> = { ...before?.columns };
    for (const [field, { type }] of Object.entries(config.index)) {
      if (!this.hasColumn(config.name, field)) {
        throw postgresError(`column "${field.toLowerCase()}" of relation "${config.name}" does not exist`);
      }
      columns[field.toLowerCase()] = toColumn(field, type, value[field]);
    }
    return columns;
  }

  #write(config: BucketConfig, row: Row): void {
    const table = this.#table(config.name);
    for (const [column, holders] of table.unique) {
      const value = row.columns[column] ?? null;
      const holder = value === null ? undefined : holders.get(value);
      if (holder !== undefined && holder !== row.key) throw uniqueAttribute(column, value);
    }
    this.#set(table, row.key, row);
  }

  #set(table: Table, key: string, row: Row | undefined): void {
    const before = table.rows.get(key);
    for (const [column, holders] of table.unique) {
      const [old, next] = [before?.columns[column] ?? null, row?.columns[column] ?? null];
      if (old !== null) holders.delete(old);
      if (next !== null) holders.set(next, key);
    }
    if (row) table.rows.set(key, row);
    else table.rows.delete(key);
    this.#undo?.push(() => {
      this.#undo = undefined;
      this.#set(table, key, before);
    });
  }

  #table(bucket: string): Table {
    const table = this.#tables.get(bucket);
    if (table === undefined) throw postgresError(`relation "${bucket}" does not exist`);
    return table;
  }
}

function addColumn(table: Table, field: string, index: IndexConfig): void {
  const column = field.toLowerCase();
  if (RESERVED.has(column)) throw postgresError(`syntax error at or near "${field}"`);
  if (table.columns.has(column)) throw postgresError(`column "${column}" specified more than once`);
  if (index.unique === true && isArrayType(index.type)) {
    throw new MorayError('InternalError', 'Invalid SQL: access method "gin" does not support unique indexes');
  }
  table.columns.set(column, index);
  if (index.unique === true) table.unique.set(column, new Map());
}
