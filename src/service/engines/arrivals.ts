/**
 * The note on a store that documents are being moved to. As long as the move is not done, nobody may take what is there
 * for the documents.
 */
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { ConfigError } from '../config/config-error.ts';

interface Arrival {
  /** That of the move. */
  readonly nonce: string;
  /** The engine that they come from. */
  readonly from: string;
  readonly state: 'copying' | 'done';
}

/** What moves does not include this bucket: it is about the store. */
export const ARRIVALS: Bucket<Arrival> = { name: 'imgapi_arrivals', version: 1, index: {} };

const KEY = 'documents';

/** @throws Error if the store holds anything but what an unfinished move left */
export async function expectArrival(
  target: Store,
  buckets: readonly Bucket[],
  { nonce, from }: Pick<Arrival, 'nonce' | 'from'>,
): Promise<void> {
  const found = await target.get(ARRIVALS, KEY);
  if (found?.value.nonce === nonce && found.value.state === 'copying') return;
  if (found?.value.state !== 'copying') await assertEmpty(target, buckets);
  const value: Arrival = { nonce, from, state: 'copying' };
  await target.batch([{ op: 'put', bucket: ARRIVALS, key: KEY, value, ifEtag: found?.etag ?? null }]);
}

/** Two datacenters may have been told to move to one store: the later one takes what the other brings for a leftover. @throws Error */
export async function assertExpected(target: Store, nonce: string): Promise<void> {
  if (await hasArrived(target, nonce)) return;
  throw new Error('another datacenter moves its documents to the same store: each needs one of its own');
}

async function assertEmpty(target: Store, buckets: readonly Bucket[]): Promise<void> {
  for (const bucket of buckets.filter(({ name }) => name !== ARRIVALS.name)) {
    const count = await target.count(bucket);
    if (count > 0) throw new Error(`the target is not empty: ${bucket.name} holds ${count} documents there`);
  }
}

/** The move is done. @throws StoreUnavailableError if this is not the store that the documents went to */
export async function arriveAt(target: Store, nonce: string): Promise<void> {
  const found = await target.get(ARRIVALS, KEY);
  if (found?.value.nonce !== nonce) {
    throw new StoreUnavailableError('the documents have moved to another store than the one that is configured here');
  }
  if (found.value.state === 'done') return;
  await target.batch([{ op: 'put', bucket: ARRIVALS, key: KEY, value: { ...found.value, state: 'done' } }]);
}

/** For a store that is not used because documents moved there. @throws ConfigError */
export async function assertArrived(store: Store): Promise<void> {
  const found = await store.get(ARRIVALS, KEY);
  if (found?.value.state !== 'copying') return;
  throw new ConfigError('databaseType', [
    `the documents are being moved here from "${found.value.from}", and are not all here: name that one until the move is done`,
  ]);
}

export async function hasArrived(store: Store, nonce: string): Promise<boolean> {
  return (await store.get(ARRIVALS, KEY))?.value.nonce === nonce;
}
