/** A bucket, and stores on a PostgreSQL server that tests may harm. */
import type { Test } from 'tap';
import type { PostgresOptions } from '#lib/documents/postgres/options.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import type { PostgresKind, PostgresPlace } from '../../../engines/postgres/postgres-for.ts';
import { startTcpProxy, type TcpProxy } from '../../../helpers/tcp-proxy.ts';

export interface Counter {
  readonly count: number;
  readonly code?: string;
}

export const COUNTERS: Bucket<Counter> = {
  name: 'counters',
  version: 1,
  index: { count: { type: 'number' }, code: { type: 'string', unique: true } },
};

export async function openStore(t: Test, options: PostgresOptions, buckets = [COUNTERS]): Promise<Store> {
  const store = await openPostgresStore(options);
  t.teardown(() => store.close());
  await store.open(buckets);
  return store;
}

export interface Proxied {
  readonly place: PostgresPlace;
  readonly proxy: TcpProxy;
  readonly store: Store;
  /** Not through the proxy. */
  readonly direct: Store;
}

/** A store behind a network that fails on command. */
export async function openProxied(t: Test, kind: PostgresKind, less: Partial<PostgresOptions> = {}): Promise<Proxied> {
  const place = await kind.placeFor(t);
  const proxy = await startTcpProxy(place.options.port);
  t.teardown(() => proxy.close());
  const store = await openStore(t, { ...place.options, port: proxy.port, ...less });
  return { place, proxy, store, direct: await openStore(t, place.options) };
}

export function put(store: Store, key: string, count: number, code?: string): Promise<string[]> {
  return store.batch([{ op: 'put', bucket: COUNTERS, key, value: { count, ...(code !== undefined && { code }) } }]);
}

/** Counts to `times` with several workers while `trouble` happens; returns what the store says in the end. */
export async function countThrough(store: Store, times: number, trouble: () => Promise<void>): Promise<number> {
  await put(store, 'shared', 0);
  let left = times;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await updateObject(store, COUNTERS, 'shared', ({ count }) => ({ count: count + 1 }), { attempts: 1000 });
    }
  };
  await Promise.all([...Array.from({ length: 6 }, work), trouble()]);
  return (await store.get(COUNTERS, 'shared'))?.value.count ?? -1;
}
