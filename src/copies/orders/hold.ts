/**
 * Holding an order back: its images are verified and stay hidden until whoever ordered it releases them, so that an
 * image can appear in several datacenters at one moment, or in none. A hold that nobody ends fails its order.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { COPIES, type CopyOrder, type Hold } from '../documents/model.ts';

/** Longer than a fan-out lives. */
const LONGEST_HOLD_MS = 14 * 24 * 3600_000;

export function newHold({ store }: WithStore): Hold {
  return { until: store.now() + LONGEST_HOLD_MS };
}

/** One that is not held, or has ended, stays as it is. @throws 404 ResourceNotFound */
export async function releaseOrder({ store }: WithStore, uuid: string): Promise<CopyOrder> {
  const updated = await updateObject(store, COPIES, uuid, (order) => {
    if (!order.hold || !order.live) return undefined;
    const { hold: _, ...released } = order;
    return { ...released, rev: order.rev + 1 };
  });
  if (updated) return updated.value;
  throw new ApiError('ResourceNotFound', `order "${uuid}" not found`);
}
