/** Calls on buckets: their configuration, its versions, and bringing rows up to a new version. */
import { isColumnType } from './columns.ts';
import { bucketNotFound, MorayError } from './errors.ts';
import { toObject } from './objects.ts';
import type { BucketConfig, IndexConfig, MorayStorage, Row } from './storage.ts';

/** What a client sends. */
interface SentConfig {
  readonly index?: Readonly<Record<string, IndexConfig>>;
  readonly options?: { readonly version?: number };
}

const BUCKET_NAME = /^[a-zA-Z]\w{0,62}$/;
const RESERVED_BUCKETS = ['buckets_config', 'moray', 'search'];
const INDEX_NAME = /^(_[a-zA-Z0-9]+|[a-zA-Z][_a-zA-Z0-9]*[a-zA-Z0-9]|[a-zA-Z])$/;
const RESERVED_INDEX = /^_(etag|id|key|atime|ctime|mtime|rver|txn_snap|value|vnode)$|^_*moray/i;

export function createBucket(storage: MorayStorage, name: string, sent: SentConfig): void {
  const config = checked(storage, name, sent);
  if (storage.config(name)) throw new MorayError('BucketConflictError', `${name} already exists`, { bucket: name });
  storage.create(config);
}

/** A version of 0 lets anything pass, and marks no column as not filled yet. */
export function updateBucket(storage: MorayStorage, name: string, sent: SentConfig): void {
  const next = checked(storage, name, sent);
  const before = storage.config(name);
  if (before === undefined) throw bucketNotFound(name);
  if (before.version !== 0 && before.version >= next.version) {
    const context = { bucket: name, oldVersion: before.version, newVersion: next.version };
    throw new MorayError('BucketVersionError', `${name} has version ${before.version}`, context);
  }
  const added = Object.keys(next.index).filter((field) => before.index[field] === undefined);
  const reindexing = next.version === 0 ? before.reindexing : { ...before.reindexing, [next.version]: added };
  storage.alter({ ...next, ...(reindexing && { reindexing }) });
}

export function deleteBucket(storage: MorayStorage, name: string): void {
  if (!storage.config(name)) throw bucketNotFound(name);
  storage.drop(name);
}

/** A bucket's configuration is sent as JSON in JSON. */
export function sentBucket(config: BucketConfig): object {
  const { name, index, version, reindexing, mtime } = config;
  return {
    name,
    index: JSON.stringify(index),
    pre: '[]',
    post: '[]',
    options: JSON.stringify({ version }),
    mtime: new Date(mtime).toISOString(),
    ...(reindexing && { reindex_active: JSON.stringify(reindexing) }),
  };
}

/** Fills the columns of up to `count` rows. Answering 0 also ends the reindexing. */
export function reindexObjects(storage: MorayStorage, config: BucketConfig, count: number): { processed: number } {
  const { name } = config;
  if (config.reindexing === undefined || Object.keys(config.reindexing).length === 0) return { processed: 0 };
  const isOld = ({ version }: Row): boolean => version === null || version < config.version;
  const rows = storage.rows(name).filter(isOld).slice(0, count);
  storage.transaction(() => {
    for (const row of rows) {
      const { value } = toObject(config, row);
      const json = JSON.stringify(value);
      const columns = storage.columnsOf(config, value, row);
      storage.replace(config, { ...row, json, columns, version: config.version });
    }
  });
  if (rows.length === 0) storage.setReindexing(name, {});
  return { processed: rows.length };
}

function checked(storage: MorayStorage, name: string, { index = {}, options = {} }: SentConfig): BucketConfig {
  if (!BUCKET_NAME.test(name) || RESERVED_BUCKETS.includes(name)) {
    throw new MorayError('InvalidBucketNameError', `${name} is not a valid bucket name`, { bucket: name });
  }
  for (const [field, { type }] of Object.entries(index)) {
    if (!INDEX_NAME.test(field) || RESERVED_INDEX.test(field) || !isColumnType(type)) {
      throw new MorayError('InvalidBucketConfigError', `invalid index "${field}"`, { bucket: name });
    }
  }
  return { name, index, version: options.version ?? 0, mtime: storage.now() };
}
