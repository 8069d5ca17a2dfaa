/** Calls that write objects, and batches of them. */
import { toColumn } from './columns.ts';
import { etagConflict, MorayError, objectNotFound } from './errors.ts';
import { type FindOptions, limited, matchingRows, parseFilter, requireIndexes } from './query.ts';
import type { BucketConfig, MorayStorage, Row } from './storage.ts';

export interface WriteOptions extends FindOptions {
  /** Absent: any state. `null`: there must be none. */
  readonly etag?: string | null;
}

/** One write of a batch. */
export interface Operation {
  readonly bucket: string;
  readonly operation?: 'put' | 'delete' | 'update' | 'deleteMany';
  readonly key?: string;
  readonly value?: object;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly filter?: string;
  readonly options?: WriteOptions;
}

export interface Written {
  readonly etag?: string;
  readonly count?: number;
}

/** The configuration as a server knows it. */
export type ConfigOf = (bucket: string, row?: Row) => BucketConfig;

export function putObject(
  storage: MorayStorage,
  config: BucketConfig,
  key: string,
  value: object,
  { etag }: WriteOptions,
): Written {
  checkEtag(config.name, key, etag, storage.row(config.name, key));
  return { etag: storage.put(config, key, value) };
}

/** `etag: null` means nothing here. */
export function delObject(storage: MorayStorage, bucket: string, key: string, { etag }: WriteOptions): Written {
  const row = storage.remove(bucket, key);
  if (row === undefined) throw objectNotFound(bucket, key);
  if (etag && row.etag !== etag) throw etagConflict(bucket, key, etag, row.etag);
  return {};
}

/** Changes columns, not the stored JSON. */
export function updateObjects(
  storage: MorayStorage,
  config: BucketConfig,
  fields: Readonly<Record<string, unknown>>,
  text: string,
  options: WriteOptions,
): Written {
  const names = Object.keys(fields);
  if (names.length === 0) throw new MorayError('FieldUpdateError', 'fields must be non-empty');
  for (const field of names) {
    if (!config.index[field]) throw new MorayError('NotIndexedError', `${config.name} has no index on ${field}`);
    if (fields[field] === null) throw new MorayError('NotNullableError', `${field} cannot be null`);
  }
  const rows = chosen(storage, config, text, options);
  const etag = `u${Math.floor(storage.now()).toString(16)}`.toUpperCase();
  for (const row of rows) {
    const columns = { ...row.columns };
    for (const field of names) {
      columns[field.toLowerCase()] = toColumn(field, config.index[field]?.type ?? 'string', fields[field]);
    }
    storage.replace(config, { ...row, columns, etag, mtime: Math.floor(storage.now()) });
  }
  return { etag, count: rows.length };
}

export function deleteMany(storage: MorayStorage, config: BucketConfig, text: string, options: WriteOptions): Written {
  const rows = chosen(storage, config, text, options);
  for (const { key } of rows) storage.remove(config.name, key);
  return { count: rows.length };
}

/** All of the writes, in order, or none. */
export function batch(storage: MorayStorage, operations: readonly Operation[], configOf: ConfigOf): object {
  const etags = storage.transaction(() =>
    operations.map((operation) => {
      const { bucket, key, filter } = operation;
      const written = carryOut(storage, operation, configOf);
      return { bucket, ...(key !== undefined && { key }), ...(filter !== undefined && { filter }), ...written };
    }),
  );
  return { etags };
}

function carryOut(storage: MorayStorage, operation: Operation, configOf: ConfigOf): Written {
  const { bucket, key = '', value = {}, fields = {}, filter = '', options = {} } = operation;
  const config = configOf(bucket, storage.row(bucket, key));
  switch (operation.operation ?? 'put') {
    case 'put':
      return putObject(storage, config, checkedKey(key), value, options);
    case 'delete':
      return delObject(storage, config.name, key, options);
    case 'update':
      return updateObjects(storage, config, fields, filter, options);
    case 'deleteMany':
      return deleteMany(storage, config, filter, options);
  }
}

export function checkedKey(key: string): string {
  if (key === '') throw new MorayError('InvocationError', 'key must be a non-empty string');
  return key;
}

function chosen(storage: MorayStorage, config: BucketConfig, text: string, options: WriteOptions): Row[] {
  const filter = parseFilter(text);
  requireIndexes(config, filter, text);
  return limited(matchingRows(storage, config, filter), options);
}

function checkEtag(bucket: string, key: string, expected: string | null | undefined, row: Row | undefined): void {
  if (expected === undefined) return;
  if (expected === null ? row === undefined : row?.etag === expected) return;
  throw etagConflict(bucket, key, expected ?? 'null', row?.etag ?? 'null');
}
