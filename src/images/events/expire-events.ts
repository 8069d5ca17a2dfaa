/** Removes events when their days are over. */
import type { Filter } from '#lib/documents/store.ts';
import type { Service } from '../../service/service.ts';
import { EVENTS } from './event.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** So that no batch keeps other writes waiting for long. */
const AT_ONCE = 500;

/** The periodic task. Returns how many there were. */
export async function expireEvents(
  { store, config }: Pick<Service, 'store' | 'config'>,
  signal: AbortSignal,
): Promise<number> {
  const until = new Date(store.now() - config.events.keepDays * DAY_MS).toISOString();
  const filter: Filter = { op: 'lt', field: 'time', value: until };
  let count = 0;
  for (;;) {
    const sort = { field: 'time', order: 'asc' } as const;
    const found = await store.find(EVENTS, { filter, sort, limit: AT_ONCE }, { signal });
    if (found.length === 0) return count;
    await store.batch(found.map(({ key }) => ({ op: 'del', bucket: EVENTS, key })));
    count += found.length;
    if (signal.aborted) return count;
  }
}
