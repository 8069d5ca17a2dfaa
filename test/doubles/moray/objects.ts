/** A row as a client gets it. */
import { type Column, isArrayType } from './columns.ts';
import type { BucketConfig, Row } from './storage.ts';

export interface MorayObject {
  readonly bucket: string;
  readonly key: string;
  readonly value: Record<string, unknown>;
  readonly _id: number;
  readonly _etag: string;
  readonly _mtime: number;
  readonly _txn_snap: null;
  readonly _count?: number;
}

/** Fields whose columns cannot be trusted yet. */
export function reindexingFields({ reindexing = {} }: BucketConfig): string[] {
  return Object.values(reindexing).flat();
}

/** Columns are stronger than the stored JSON, except those of fields that are being reindexed. */
export function toObject(config: BucketConfig, row: Row, count?: number): MorayObject {
  const value = JSON.parse(row.json) as Record<string, unknown>;
  const untrusted = new Set(reindexingFields(config));
  for (const [field, { type }] of Object.entries(config.index)) {
    if (!untrusted.has(field)) overlay(value, field, row.columns[field.toLowerCase()] ?? null, isArrayType(type));
  }
  return {
    bucket: config.name,
    key: row.key,
    value,
    _id: row.id,
    _etag: row.etag,
    _mtime: row.mtime,
    _txn_snap: null,
    ...(count !== undefined && { _count: count }),
  };
}

function overlay(value: Record<string, unknown>, field: string, column: Column, isArray: boolean): void {
  if (column === null) {
    if (value[field] !== null) delete value[field];
  } else if (!Array.isArray(value[field]) || isArray) {
    value[field] = column;
  }
}
