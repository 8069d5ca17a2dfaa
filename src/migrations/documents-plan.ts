/** What a move of the documents would do, and whether it can be done. Writes nothing, here or there. */
import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { Store } from '#lib/documents/store.ts';
import { within } from '#lib/runtime/within.ts';
import { DATABASE_TYPES, type DatabaseType } from '../service/config/config.ts';
import { ARRIVALS } from '../service/engines/arrivals.ts';
import type { FollowingStore } from '../service/engines/following-store.ts';
import type { Service } from '../service/service.ts';
import type { Planned } from './orders.ts';

/** @throws 422 */
export async function planDocuments(service: Service, to: string): Promise<Planned> {
  const documents = movable(service);
  const { place } = documents;
  const engine = DATABASE_TYPES.find((type) => type === to);
  if (!engine) throw invalidParameter('to', `to is "${to}"; documents can be in ${DATABASE_TYPES.join(', ')}`);
  if (engine === place.type) throw invalidParameter('to', `the documents are in "${to}" already`);
  if (!isConfigured(service, engine)) {
    throw invalidParameter('to', `the configuration has no section "${to}"; add it on all processes`);
  }
  return { kind: 'documents', from: place.type, to: engine, total: await countAll(documents) };
}

/** @throws 422 unless the operator knows that calls will wait all the while, where that is so */
export function assertMayWait({ documents }: Service, isOffline: boolean): void {
  if (isOffline || documents?.place.fence.changes) return;
  throw invalidParameter(
    'offline',
    `documents move away from "${documents?.place.type}" only while one process alone uses them, and calls wait until all is ` +
      'done: stop the other processes and any older IMGAPI, and order it with offline',
  );
}

/** Opens the new store as the move would, and leaves it as it is. @throws 422 if it cannot be used */
export async function assertReachable(service: Service, to: DatabaseType): Promise<void> {
  // Opening it would make the file.
  if (to === 'local') return;
  const documents = movable(service);
  const opening = documents.openOther(to, documents.place.since + 1);
  try {
    const target = await within(REACH_MS, opening, () => {
      throw new Error(`it did not answer within ${REACH_MS / 1000} seconds`);
    });
    assertClocksAgree(documents.place.store, target.store);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidParameter('to', `the new store cannot be used: ${reason}`);
  } finally {
    void opening.then(({ store }) => store.close()).catch(() => undefined);
  }
}

const REACH_MS = 10_000;

/** @throws 422 */
export function movable({ documents }: Service): FollowingStore {
  if (documents) return documents;
  throw invalidParameter('to', 'the documents of this server cannot be moved');
}

function isConfigured({ config }: Service, type: DatabaseType): boolean {
  return type === 'local' || Object.hasOwn(config, type);
}

/** All documents that a move takes along. */
export async function countAll(documents: FollowingStore): Promise<number> {
  const { store } = documents.place;
  const counts = await Promise.all(movedBuckets(documents).map((bucket) => store.count(bucket)));
  return counts.reduce((sum, count) => sum + count, 0);
}

export function movedBuckets({ buckets }: { readonly buckets: FollowingStore['buckets'] }): FollowingStore['buckets'] {
  return buckets.filter(({ name }) => name !== ARRIVALS.name);
}

/** Leases go on in the new store, by its clock. @throws Error */
export function assertClocksAgree(source: Store, target: Store): void {
  const ms = target.now() - source.now();
  if (Math.abs(ms) <= MOST_MS) return;
  throw new Error(`the clock of the new store differs from that of the old one by ${ms} ms: set them right first`);
}

const MOST_MS = 5000;
