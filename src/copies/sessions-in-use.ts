/** Which staging the copies need: what the running attempt writes, and what the next one would take over. */
import type { Service } from '../service.ts';
import { iconSessionOf, sessionOf, TRANSFERS } from './model.ts';

/** Of all transfers, also of those whose copy failed and that are kept for whoever orders them again. */
export async function sessionsInUse(service: Service): Promise<Set<string>> {
  const transfers = await service.store.find(TRANSFERS, {});
  return new Set(
    transfers.flatMap(({ value }) => [
      sessionOf(value, value.attempt),
      iconSessionOf(value, value.attempt),
      // A claim that is just being written down.
      sessionOf(value, value.attempt + 1),
      iconSessionOf(value, value.attempt + 1),
      ...(value.staged === undefined ? [] : [value.staged]),
    ]),
  );
}
