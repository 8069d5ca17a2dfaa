/**
 * The moment in which the documents move: the old store is fenced, so that calls wait, the last changes follow, and then
 * the fence says where the documents are now, for good. That is one write: whatever happens before leaves them in the old
 * store, whatever happens after finds them in the new one.
 */
import type { Fence, Moved } from '#lib/documents/moving/moved.ts';
import type { Store } from '#lib/documents/store.ts';
import { pause, startInterval } from '#lib/runtime/timers.ts';
import { within } from '#lib/runtime/within.ts';
import { arriveAt, assertExpected } from '../service/engines/arrivals.ts';
import type { FollowingStore, Place } from '../service/engines/following-store.ts';
import type { Service } from '../service/service.ts';
import type { MigrationOrder } from './orders.ts';

/** How long calls may wait: less than they are ready to. */
const FENCED_MS = 25_000;
/** After so long without a sign of life, anybody may lift the fence. */
const LEASE_MS = 10_000;
const RENEWALS = 4;

export interface Move {
  readonly service: Service;
  readonly documents: FollowingStore;
  readonly order: MigrationOrder;
  readonly source: Place;
  readonly target: Place;
  readonly signal: AbortSignal;
}

/**
 * @param work what is done to the documents behind the fence
 * @param mostMs milliseconds that it may take
 */
export async function switchOver<T>(
  move: Move,
  work: (behind: Store, signal: AbortSignal) => Promise<T>,
  mostMs = FENCED_MS,
): Promise<T> {
  const { service, source, signal } = move;
  const { fence } = source;
  if (!(await fence.raise(await moved(move, 'moving')))) throw new Error('the old store is being moved already');
  const ended = new AbortController();
  let renewal: Promise<void> = Promise.resolve();
  const keep = async (): Promise<void> => {
    if (await fence.change(await moved(move, 'moving'))) return;
    ended.abort(new LostError('another process has lifted the fence'));
  };
  const timer = startInterval(() => {
    renewal = renewal.then(keep).catch((err: unknown) => service.log.warn({ err }, 'a fence was not renewed'));
  }, LEASE_MS / RENEWALS);
  try {
    await service.faults.reach('migrate:fenced');
    const limited = AbortSignal.any([signal, ended.signal]);
    const result = await within(mostMs, behindFence(move, limited, work), () => {
      throw new Error(`the last changes were not brought along within ${mostMs / 1000} seconds`);
    });
    await service.faults.reach('migrate:verified');
    timer.stop();
    await renewal;
    limited.throwIfAborted();
    await assertExpected(move.target.store, move.order.nonce);
    await finish(fence, await moved(move, 'done'));
    await service.faults.reach('migrate:done');
    await tidy(move);
    return result;
  } catch (error) {
    ended.abort(error);
    timer.stop();
    await renewal;
    // Has no effect once the move is done.
    await fence
      .lift({ nonce: move.order.nonce, worker: service.worker })
      .catch((err: unknown) => service.log.error({ err }, 'a fence could not be lifted yet'));
    throw error;
  }
}

async function moved({ service, order, source, target }: Move, state: Moved['state']): Promise<Moved> {
  const until = (await source.fence.now()) + LEASE_MS;
  return {
    ...{ nonce: order.nonce, to: order.to, epoch: target.since, state },
    ...{ worker: service.worker, until, length: LEASE_MS },
  };
}

async function behindFence<T>(
  { documents, source }: Move,
  signal: AbortSignal,
  work: (behind: Store, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const behind = await source.fence.behind();
  try {
    await behind.open(documents.buckets);
    return await work(behind, signal);
  } finally {
    await behind.close();
  }
}

/** What is left to do is done by whoever comes to the new store, if this fails. */
async function tidy({ service, order, target }: Move): Promise<void> {
  try {
    await arriveAt(target.store, order.nonce);
    await target.fence.forget(target.since - 1);
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
