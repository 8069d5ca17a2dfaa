/** When placeholders of images that are created from machines expire, if the images never came, and what removes them then. */

import type { Query } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';
import { deleteRecord } from './tombstones.ts';

const DAY_MS = 86_400_000;

/** As it is recorded: an ISO date. */
export function placeholderExpiry({ store, config }: Pick<Service, 'store' | 'config'>): string {
  return new Date(store.now() + config.placeholderImageLifespanDays * DAY_MS).toISOString();
}

/** Returns how many were removed. Placeholders of copies expire on their own terms. */
export async function expirePlaceholders(service: Service): Promise<number> {
  const now = service.store.now();
  let count = 0;
  await forEachInTurn(service.store.scan(IMAGES, MAY_EXPIRE), (found) =>
    forEachInTurn(found, async (stored) => {
      if (
        stored.value.copy ||
        stored.value.activated ||
        stored.value.protected ||
        !isPast(stored.value.expires_at, now)
      )
        return;
      // Changed meanwhile: the next run looks again.
      if (await unlessChanged(deleteRecord(service, stored))) count++;
    }),
  );
  return count;
}

/** In the order of an index that leaves out all others: each start asks for these, and there are few or none. */
export const MAY_EXPIRE: Query = {
  filter: {
    op: 'and',
    of: [
      { op: 'ge', field: 'expires_at', value: '' },
      { op: 'in', field: 'state', values: ['creating', 'failed'] },
    ],
  },
  sort: { field: 'expires_at', order: 'asc' },
};

/** Existing records hold milliseconds, as a number or as text; a date is understood too. */
function isPast(expiresAt: unknown, now: number): boolean {
  const text = String(expiresAt);
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return time <= now;
}
