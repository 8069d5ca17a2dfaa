/** Moves the documents to another engine, while all processes use them if the old one allows it. */

import { expectArrival, hasArrived } from '../service/engines/arrivals.ts';
import type { FollowingStore, Place } from '../service/engines/following-store.ts';
import type { Service } from '../service/service.ts';
import { carryOver } from './carry-over.ts';
import { carryOverAlone } from './carry-over-alone.ts';
import type { CarriedOver } from './documents-copy.ts';
import { assertClocksAgree, movable, movedBuckets } from './documents-plan.ts';
import { endMigration, type MigrationOrder } from './orders.ts';
import type { Move } from './switch-over.ts';

export async function moveDocuments(service: Service, order: MigrationOrder, signal: AbortSignal): Promise<void> {
  const documents = movable(service);
  const source = documents.place;
  const { fence, type } = source;
  if (type === order.to && (await hasArrived(source.store, order.nonce))) {
    // A process died when all was done but this.
    await fence.forget(source.since - 1);
    await endMigration(service.store, order, { state: 'succeeded', done: order.total });
    return;
  }
  if (type !== order.from) throw new Error(`the documents are in "${type}" now`);
  const since = Math.max(source.since, (await earlier(documents, order)) + 1);
  const target = await documents.openOther(order.to as Place['type'], since);
  let result: CarriedOver;
  try {
    await target.fence.clear(since);
    await target.store.open(documents.buckets);
    assertClocksAgree(source.store, target.store);
    const buckets = movedBuckets(documents);
    await expectArrival(target.store, buckets, { nonce: order.nonce, from: type });
    const move: Move = { service, documents, order, source, target, signal };
    result = await (fence.changes ? carryOver(move, fence.changes) : carryOverAlone(move));
  } finally {
    await target.store.close();
  }
  // Goes to the new store, as everything does from now on.
  await endMigration(service.store, order, { state: 'succeeded', done: result.total, ...result });
}

/** The epoch of the last move away from the target: what comes back is newer. */
async function earlier(documents: FollowingStore, { to }: MigrationOrder): Promise<number> {
  const epoch = documents.place.since;
  const probe = await documents.openOther(to as Place['type'], epoch + 1);
  try {
    return Math.max(epoch, (await probe.fence.read())?.epoch ?? 0);
  } finally {
    await probe.store.close();
  }
}
