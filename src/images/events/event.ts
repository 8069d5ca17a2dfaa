/**
 * What happened to an image, kept for those who ask later. An event is written in the very batch of what it tells, so that
 * there is neither one without the other, whatever dies in between.
 *
 * An account reads an event if it owned the image then: a new owner does not learn whom an earlier one shared it with.
 */
import type { EventKind } from '#lib/api/event-kinds.ts';
import type { EventDetails } from '#lib/api/schemas/event.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { newTimeUuid } from '#lib/text/uuid.ts';
import type { Records } from '../record/load.ts';

/** On whose behalf something happens. Neither an account nor a datacenter: an operator. */
export interface Cause {
  readonly account?: string;
  /** The linked datacenter. */
  readonly datacenter?: string;
  readonly request_id?: string;
}

export interface Happening {
  readonly kind: EventKind;
  readonly details: EventDetails;
}

export interface EventRecord extends Cause, Happening {
  readonly image: string;
  /** ISO date. */
  readonly time: string;
  /** Who may read it, besides operators: the owner of then. */
  readonly owner?: string;
}

const string = { type: 'string' } as const;

export const EVENTS: Bucket<EventRecord> = {
  name: 'imgapi_events',
  version: 2,
  // Each is written with every change of an image, and an image has few events: so there are no more than these.
  index: { image: string, owner: string, kind: { type: 'string', few: true }, time: string },
};

/** @param request a request's caller, and its ID */
export function causeOf({
  account,
  requestId,
}: {
  readonly account?: string | undefined;
  readonly requestId?: string | undefined;
}): Cause {
  return { ...(account !== undefined && { account }), ...(requestId !== undefined && { request_id: requestId }) };
}

/** The writes belong in the batch of what they tell. The image is as it is after that. */
export function eventWrites(
  { store }: Pick<Records, 'store'>,
  { uuid, owner }: Pick<ImageRecord, 'uuid' | 'owner'>,
  cause: Cause,
  happenings: readonly Happening[],
): Write[] {
  const of = { image: uuid, ...(owner !== undefined && { owner }) };
  return happenings.map((happening) => eventWrite(store.now(), { ...cause, ...happening, ...of }));
}

/** @param now milliseconds since the epoch, by the store's clock */
export function eventWrite(now: number, event: Omit<EventRecord, 'time'>): Write {
  const value: EventRecord = { ...event, time: new Date(now).toISOString() };
  return { op: 'put', bucket: EVENTS, key: newTimeUuid(now), value };
}
