/**
 * Follows orders until they end, and reports each change. It reads what the workers record at their heartbeats, so it
 * works in any process, not only in the one that receives the bytes.
 */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { COPIES, type CopyOrder } from '../documents/model.ts';
import type { OrderViewer } from './shown-order.ts';
import { statusesOf } from './status.ts';

const INTERVAL_MS = 500;

/** Ends when every order has ended, when the documents are gone, or on `signal`. No `viewer`: for operators. */
export async function* watch(
  service: WithStore,
  orders: readonly CopyOrder[],
  signal: AbortSignal,
  viewer?: OrderViewer,
): AsyncGenerator<CopyStatus> {
  const shown = new Map<string, string>();
  for (let current = orders; ; ) {
    for (const status of await statusesOf(service, current, viewer)) {
      const json = JSON.stringify(status);
      if (shown.get(status.order) === json) continue;
      shown.set(status.order, json);
      yield status;
    }
    const live = current.filter((order) => order.live).map(({ uuid }) => uuid);
    if (live.length === 0 || (await isAborted(signal))) return;
    const found = await service.store.getMany(COPIES, live);
    current = found.map(({ value }) => value);
  }
}

async function isAborted(signal: AbortSignal): Promise<boolean> {
  try {
    await pause(INTERVAL_MS, signal);
    return false;
  } catch {
    return true;
  }
}
