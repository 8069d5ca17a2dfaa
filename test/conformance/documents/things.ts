/** The bucket that the suite uses. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { Bucket, Filter, Query, Store } from '#lib/documents/store.ts';
import type { Make } from './make.ts';

export interface Thing {
  readonly name?: unknown;
  readonly size?: unknown;
  readonly open?: unknown;
  readonly code?: unknown;
  readonly tags?: unknown;
  readonly sizes?: unknown;
  readonly flags?: unknown;
  readonly note?: unknown;
}

export const THING_INDEX = {
  name: { type: 'string' },
  size: { type: 'number' },
  open: { type: 'boolean' },
  code: { type: 'string', unique: true },
  tags: { type: 'string', array: true },
  sizes: { type: 'number', array: true },
  flags: { type: 'boolean', array: true },
} as const;

/** A bucket that no other test uses, even if all tests share one server. */
export function newBucket(overrides: Partial<Bucket<Thing>> = {}): Bucket<Thing> {
  return {
    name: `things_${randomBytes(6).toString('hex')}`,
    version: 1,
    index: THING_INDEX,
    together: [
      ['open', 'name'],
      ['tags', 'name'],
      ['tags', 'size'],
      ['sizes', 'code'],
      ['flags', 'open'],
    ],
    ...overrides,
  };
}

export interface Opened {
  readonly store: Store;
  readonly bucket: Bucket<Thing>;
  reopen(): Promise<Store>;
  /** Writes things under their keys, in one batch. */
  put(things: Readonly<Record<string, Thing>>): Promise<string[]>;
  /** The keys that a query finds, in order. */
  keys(query: Query): Promise<string[]>;
  matching(filter: Filter): Promise<string[]>;
}

export async function openThings(t: Test, make: Make, things: Readonly<Record<string, Thing>> = {}): Promise<Opened> {
  const { store, reopen } = await make(t);
  const bucket = newBucket();
  await store.open([bucket]);
  const put = (some: Readonly<Record<string, Thing>>) =>
    store.batch(Object.entries(some).map(([key, value]) => ({ op: 'put', bucket, key, value })));
  const keys = async (query: Query) => (await store.find(bucket, query)).map(({ key }) => key);
  await put(things);
  return { store, bucket, reopen, put, keys, matching: (filter) => keys({ filter }) };
}
