/** ListImageEvents, ListEvents. */
import { imageNotFound, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { EVENTS } from '#lib/api/imgapi/events.ts';
import type { EventActor, ImageEvent } from '#lib/api/schemas/event.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Cause } from '../../images/events/event.ts';
import { type EventPage, hasEvents, listEvents } from '../../images/events/list-events.ts';
import { loadImage, loadOwnImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { imageUuid, loginsOf } from '../image-call.ts';

const LISTED = 100;

export function eventHandlers(service: Service): Handlers<typeof EVENTS, Call> {
  return {
    async ListImageEvents(call, { kind, limit = LISTED, marker }) {
      const image = imageUuid(call);
      const { account: owner } = call;
      const page = await listEvents(service, { image, owner, kind, limit, marker }, call.signal);
      if (page.events.length === 0 && !(await isKnown(service, image, call))) throw imageNotFound(image);
      return pageReply(service, call, page);
    },

    async ListEvents(call, { account, kind, limit = LISTED, marker, since }) {
      const from = since === undefined ? undefined : dateOf(since);
      const query = { owner: account, kind, limit, marker, since: from };
      return pageReply(service, call, await listEvents(service, query, call.signal));
    },
  };
}

/**
 * Whether a list without events is the answer, as none is of the kind that was asked for, or all have expired. For an account,
 * what others have takes the work of what is not there: only its own images and events decide, never those of others.
 */
async function isKnown(service: Service, image: string, { account, signal }: Call): Promise<boolean> {
  if (await hasEvents(service, image, account, signal)) return true;
  const load = account === undefined ? loadImage(service, image) : loadOwnImage(service, image, account);
  return (await load) !== undefined;
}

/** @throws 422 InvalidParameter since */
function dateOf(since: string): string {
  const time = Date.parse(since);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw invalidParameter('since', `since is "${since}"; it must be a date, such as 2026-01-31T12:00:00Z`);
}

async function pageReply(service: Service, call: Call, { events, next }: EventPage): Promise<Reply> {
  const logins = await loginsOf(
    service,
    events.flatMap(({ account }) => account ?? []),
  );
  const json: ImageEvent[] = events.map(({ id, time, kind, image, request_id, details, ...cause }) => ({
    id,
    time,
    kind,
    image,
    actor: actorOf(cause, logins),
    ...(request_id !== undefined && { request_id }),
    details,
  }));
  return { json, ...(next !== undefined && { headers: { Link: nextLink(call, next) } }) };
}

function actorOf({ account, datacenter }: Cause, logins: ReadonlyMap<string, string>): EventActor {
  if (datacenter !== undefined) return { kind: 'datacenter', datacenter };
  if (account === undefined) return { kind: 'operator' };
  const login = logins.get(account);
  return { kind: 'account', account, ...(login !== undefined && { login }) };
}

/** Relative to the request, so that it is right under any URL by which the client reached the service. */
function nextLink(call: Call, next: string): string {
  const query = new URL(call.url, 'http://localhost').searchParams;
  query.set('marker', next);
  return `<?${query}>; rel="next"`;
}
