/** Reads events, newest first. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import type { EventKind } from '#lib/api/event-kinds.ts';
import type { Filter } from '#lib/documents/store.ts';
import { timeOfUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { EVENTS, type EventRecord } from './event.ts';

export interface EventQuery {
  /** Only of this image. */
  readonly image?: string;
  /** Only what this account may read. */
  readonly owner?: string | undefined;
  readonly kind?: EventKind | undefined;
  /** ISO date. */
  readonly since?: string | undefined;
  /** The ID of the first event of the page. */
  readonly marker?: string | undefined;
  readonly limit: number;
}

export interface EventPage {
  readonly events: readonly (EventRecord & { readonly id: string })[];
  /** The marker of the next page; absent on the last one. */
  readonly next?: string;
}

/** An event that a page began with may be gone by now: the page begins where it was. @throws 422 InvalidParameter marker */
export async function listEvents(
  { store }: Pick<Service, 'store'>,
  { image, owner, kind, since, marker, limit }: EventQuery,
  signal: AbortSignal,
): Promise<EventPage> {
  const of: Filter[] = [];
  if (image !== undefined) of.push({ op: 'eq', field: 'image', value: image });
  if (owner !== undefined) of.push({ op: 'eq', field: 'owner', value: owner });
  if (kind !== undefined) of.push({ op: 'eq', field: 'kind', value: kind });
  if (since !== undefined) of.push({ op: 'ge', field: 'time', value: since });
  const query = {
    filter: { op: 'and', of },
    sort: { field: 'time', order: 'desc' },
    ...(marker !== undefined && { after: placeBefore(marker) }),
    limit: limit + 1,
  } as const;
  const found = await store.find(EVENTS, query, { signal });
  const events = found.slice(0, limit).map(({ key, value }) => ({ ...value, id: key }));
  const next = found[limit]?.key;
  return { events, ...(next !== undefined && { next }) };
}

/** Whether there is any event of an image, which may be gone by now. @param owner only what this account may read */
export async function hasEvents(
  service: Pick<Service, 'store'>,
  image: string,
  owner: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { events } = await listEvents(service, { image, owner, limit: 1 }, signal);
  return events.length > 0;
}

/** The cursor is exclusive: it is the place right before the marker in descending order, where no event can be. */
function placeBefore(marker: string): { readonly value: string; readonly key: string } {
  const time = timeOfUuid(marker);
  if (time === undefined) {
    throw invalidParameter('marker', `marker is "${marker}"; it must be the ID of an event`);
  }
  return { value: new Date(time).toISOString(), key: `${marker}.` };
}
