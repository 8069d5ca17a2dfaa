/**
 * Moves the documents to another engine while all processes use them. They are copied, then what has changed meanwhile,
 * until little is left; then the old store is fenced, so that calls wait, the last changes follow, and all is compared;
 * then the fence says where the documents are now, for good. That is one write: whatever happens before leaves them in the
 * old store, whatever happens after finds them in the new one.
 */
import { createHash } from 'node:crypto';
import { assertSame } from '#lib/documents/moving/assert-same.ts';
import { bringUpToDate } from '#lib/documents/moving/bring-up-to-date.ts';
import type { Fence, Moved } from '#lib/documents/moving/moved.ts';
import type { Store } from '#lib/documents/store.ts';
import { pause, startInterval } from '#lib/runtime/timers.ts';
import { arriveAt, expectArrival, hasArrived } from '../service/engines/arrivals.ts';
import type { FollowingStore, Place } from '../service/engines/following-store.ts';
import type { Service } from '../service/service.ts';
import { assertClocksAgree, countAll, movable, movedBuckets } from './documents-plan.ts';
import { endMigration, type MigrationOrder } from './orders.ts';
import { Progress } from './progress.ts';

/** Changes that are few enough to be brought along while calls wait. */
const FEW = 200;
const MOST_ROUNDS = 20;
/** How long calls may wait: less than they are ready to. */
const FENCED_MS = 25_000;
/** After so long without a sign of life, anybody may lift the fence. */
const LEASE_MS = 10_000;
const RENEWALS = 4;

interface Move {
  readonly service: Service;
  readonly documents: FollowingStore;
  readonly order: MigrationOrder;
  readonly source: Place & { readonly fence: Fence };
  readonly target: Place;
  readonly signal: AbortSignal;
}

export async function moveDocuments(service: Service, order: MigrationOrder, signal: AbortSignal): Promise<void> {
  const documents = movable(service);
  const source = documents.place;
  const { fence, type } = source;
  if (type === order.to && (await hasArrived(source.store, order.nonce))) {
    // A process died when all was done but this.
    await endMigration(service.store, order, { state: 'succeeded', done: order.total });
    return;
  }
  if (type !== order.from || !fence) throw new Error(`the documents are in "${type}" now`);
  const since = Math.max(source.since, (await earlier(documents, order)) + 1);
  const target = await documents.openOther(order.to as Place['type'], since);
  let result: Pick<MigrationOrder, 'digest' | 'total'>;
  try {
    await target.fence?.clear(since);
    await target.store.open(documents.buckets);
    assertClocksAgree(source.store, target.store);
    const buckets = movedBuckets(documents);
    await expectArrival(target.store, buckets, { nonce: order.nonce, from: type });
    const move: Move = { service, documents, order, source: { ...source, fence }, target, signal };
    await copyRounds(move);
    await service.faults.reach('migrate:copied');
    result = await switchOver(move);
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
    return Math.max(epoch, (await probe.fence?.read())?.epoch ?? 0);
  } finally {
    await probe.store.close();
  }
}

async function copyRounds({ service, documents, order, source, target, signal }: Move): Promise<void> {
  const progress = new Progress(service, order);
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const total = await countAll(documents);
    let done = 0;
    let changed = 0;
    for (const bucket of movedBuckets(documents)) {
      const compared = await bringUpToDate(source.store, target.store, bucket, {
        signal,
        onProgress: ({ objects }) => progress.note({ total, done: Math.min(total, done + objects), rounds: round }),
      });
      done += compared.objects;
      changed += compared.changed;
    }
    await progress.settled();
    if (changed <= FEW) return;
  }
  throw new Error(`the documents change too fast: after ${MOST_ROUNDS} rounds more than ${FEW} were still different`);
}

async function switchOver(move: Move): Promise<Pick<MigrationOrder, 'digest' | 'total'>> {
  const { service, order, source, target, signal } = move;
  const { fence } = source;
  await new Progress(service, order).now({ phase: 'switching' });
  const moved = async (state: Moved['state']): Promise<Moved> => ({
    ...{ nonce: order.nonce, to: order.to, epoch: target.since, state, worker: service.worker },
    ...{ until: (await fence.now()) + LEASE_MS, length: LEASE_MS },
  });
  if (!(await fence.raise(await moved('moving')))) throw new Error('the old store is being moved already');
  const lost = new AbortController();
  const keep = async (): Promise<void> => {
    if (!(await fence.change(await moved('moving')))) lost.abort(new Error('another process has lifted the fence'));
  };
  let renewal: Promise<void> = Promise.resolve();
  const timer = startInterval(() => {
    renewal = renewal.then(keep).catch((err: unknown) => service.log.warn({ err }, 'a fence was not renewed'));
  }, LEASE_MS / RENEWALS);
  try {
    const limited = AbortSignal.any([signal, lost.signal, AbortSignal.timeout(FENCED_MS)]);
    await service.faults.reach('migrate:fenced');
    const result = await lastChanges(move, limited);
    await service.faults.reach('migrate:verified');
    timer.stop();
    await renewal;
    limited.throwIfAborted();
    await finish(fence, await moved('done'));
    await service.faults.reach('migrate:done');
    await tidy(move);
    return result;
  } catch (error) {
    timer.stop();
    await renewal;
    // Has no effect once the move is done.
    await fence
      .lift(order.nonce)
      .catch((err: unknown) => service.log.error({ err }, 'a fence could not be lifted yet'));
    throw error;
  }
}

/** What is left to do is done by whoever comes to the new store, if this fails. */
async function tidy({ service, order, target }: Move): Promise<void> {
  try {
    await arriveAt(target.store, order.nonce);
    await target.fence?.forget(target.since - 1);
  } catch (err) {
    service.log.warn({ err }, 'the documents have moved; the new store was not told yet');
  }
}

/** @throws Error unless the documents have moved */
async function finish(fence: Fence, done: Moved): Promise<void> {
  const end = performance.now() + LEASE_MS;
  for (;;) {
    try {
      if (await fence.change(done)) return;
      const found = await fence.read();
      if (found?.nonce === done.nonce && found.state === 'done') return;
      throw new LostError('another process has lifted the fence');
    } catch (error) {
      // It may have been written or not.
      if (error instanceof LostError || performance.now() > end) throw error;
    }
    await pause(100);
  }
}

class LostError extends Error {
  override readonly name = 'LostError';
}

async function lastChanges(
  { documents, source, target }: Move,
  signal: AbortSignal,
): Promise<Pick<MigrationOrder, 'digest' | 'total'>> {
  const behind = await source.fence.behind();
  try {
    await behind.open(documents.buckets);
    const all = createHash('sha256');
    let total = 0;
    for (const bucket of movedBuckets(documents)) {
      const { objects, digest } = await settled(behind, target.store, bucket, signal);
      all.update(`${bucket.name} ${objects} ${digest}\n`);
      total += objects;
    }
    return { digest: all.digest('hex'), total };
  } finally {
    await behind.close();
  }
}

async function settled(source: Store, target: Store, bucket: FollowingStore['buckets'][number], signal: AbortSignal) {
  await bringUpToDate(source, target, bucket, { signal });
  return assertSame(source, target, bucket, signal);
}
