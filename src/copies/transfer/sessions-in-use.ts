/** Which staging the copies need: what the running attempt writes, and what the next one would take over. */
import type { WithStore } from '#lib/documents/store.ts';
import { iconSessionOf, sessionOf, TRANSFERS, type Transfer } from '../orders/model.ts';

/** Those of the sessions that any transfer needs, also one whose copy failed and that is kept for a new order. */
export async function sessionsInUse(service: WithStore, among: ReadonlySet<string>): Promise<Set<string>> {
  const used = new Set<string>();
  for await (const transfers of service.store.scan(TRANSFERS, {})) {
    for (const { value } of transfers) {
      for (const session of sessionsOf(value)) if (among.has(session)) used.add(session);
    }
  }
  return used;
}

function sessionsOf(transfer: Transfer): string[] {
  const { attempt, staged } = transfer;
  return [
    sessionOf(transfer, attempt),
    iconSessionOf(transfer, attempt),
    // A claim that is just being written down.
    sessionOf(transfer, attempt + 1),
    iconSessionOf(transfer, attempt + 1),
    ...(staged === undefined ? [] : [staged]),
  ];
}
