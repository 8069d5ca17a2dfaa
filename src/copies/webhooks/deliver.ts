/**
 * Sends what waits for one webhook. Each webhook has a task of its own, so that one that is down holds up nobody else. A
 * message goes when it was answered with 2xx; until then it is sent again, after longer and longer pauses, for a day. Time in
 * which this service was down does not count. Whoever dies in between leaves it there: it may come twice, but never not at all.
 */
import type { WebhookAnswer, WebhookMessage } from '#lib/api/schemas/webhook.ts';
import type { HttpTransport } from '#lib/client/transport.ts';
import type { Query, Stored, Write } from '#lib/documents/store.ts';
import { isConflict } from '#lib/documents/update.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { foreignMessage } from '../../datacenters/peers/remote-failure.ts';
import { namedTransport } from '../../datacenters/peers/transports.ts';
import { readSecret, type WebhookConfig } from '../../service/config/webhooks.ts';
import type { Service } from '../../service/service.ts';
import { ANSWERS, OUTBOX, type QueuedMessage } from './outbox.ts';
import { signatureOf } from './signature.ts';

/** Milliseconds for a message, from the connection to the status of the answer. Nothing of its body is read. */
const DEADLINE_MS = 10_000;
const AT_ONCE = 100;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60 * 60_000;
const GIVEN_UP_AFTER_MS = 24 * 60 * 60_000;
/** Three times as many as a day has: also where this service is down each day there is an end. */
const MOST_TRIES = 100;
/** Something was due, and nobody sent it for so long: this service was down, or its stores were. */
const BREAK_MS = 10 * 60_000;

/** For the metrics. */
export type Outcome = 'delivered' | 'failed' | 'given-up';
export type CountDelivery = (hook: string, outcome: Outcome) => void;

/** A periodic task. Returns how many messages it delivered. */
export async function deliverTo(
  service: Service,
  hook: WebhookConfig,
  count: CountDelivery,
  signal: AbortSignal,
): Promise<number> {
  const due = await service.store.find(OUTBOX, dueQuery(hook.name, service.store.now()), { signal });
  const [first] = due;
  if (!first) return 0;
  const resumed = await resumedAt(service, hook.name, first.value);
  const { origin, pathname, search } = new URL(hook.url);
  const transport = namedTransport(origin, service);
  let delivered = 0;
  for (const stored of due) {
    signal.throwIfAborted();
    const answer = await send(service, hook, { transport, path: pathname + search }, stored, signal);
    await service.faults.reach('webhook:sent');
    const outcome = await settle(service, stored, answer, resumed);
    count(hook.name, outcome);
    if (outcome === 'delivered') delivered++;
    // Nobody is there: the others would wait in vain as well, and are sent in the next run.
    else if (answer.status === undefined) break;
  }
  return delivered;
}

/** When sending went on after a break; 0 if there was none. */
async function resumedAt({ store }: Service, hook: string, { not_before }: QueuedMessage): Promise<number> {
  const last = (await store.get(ANSWERS, hook))?.value;
  const idleSince = Math.max(not_before, last ? Date.parse(last.time) : 0);
  return store.now() - idleSince > BREAK_MS ? store.now() : (last?.resumed ?? 0);
}

function dueQuery(hook: string, now: number): Query {
  return {
    filter: {
      op: 'and',
      of: [
        { op: 'eq', field: 'hook', value: hook },
        { op: 'eq', field: 'state', value: 'queued' },
        { op: 'le', field: 'not_before', value: now },
      ],
    },
    sort: { field: 'not_before', order: 'asc' },
    limit: AT_ONCE,
  };
}

interface Target {
  readonly transport: HttpTransport;
  readonly path: string;
}

async function send(
  service: Service,
  { secretFile }: WebhookConfig,
  { transport, path }: Target,
  { key: id, value: { message } }: Stored<QueuedMessage>,
  stop: AbortSignal,
): Promise<WebhookAnswer> {
  const body = JSON.stringify(message);
  const at = (): string => new Date(service.store.now()).toISOString();
  try {
    const seconds = Math.floor(service.clock.now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': service.config.serverName,
      'x-imgapi-event': message.event,
      'x-imgapi-delivery': id,
      'x-imgapi-signature': signatureOf(await readSecret(secretFile), seconds, body),
    };
    const signal = AbortSignal.any([stop, timeLimit(DEADLINE_MS)]);
    const { status, body: answer } = await transport.send({ method: 'POST', path, headers, body, signal });
    answer.destroy();
    const isTaken = status >= 200 && status < 300;
    return { time: at(), id, status, ...(!isTaken && { error: refusalOf(status) }) };
  } catch (error) {
    stop.throwIfAborted();
    return { time: at(), id, error: foreignMessage(error) };
  }
}

function refusalOf(status: number): string {
  const isRedirect = status >= 300 && status < 400;
  return isRedirect ? `answered ${status}; redirects are not followed` : `answered ${status}`;
}

async function settle(
  service: Service,
  { key, value, etag }: Stored<QueuedMessage>,
  answer: WebhookAnswer,
  resumed: number,
): Promise<Outcome> {
  const { store, log } = service;
  const { hook, message } = value;
  const now = store.now();
  const note: Write = { op: 'put', bucket: ANSWERS, key: hook, value: { ...answer, ...(resumed > 0 && { resumed }) } };
  if (answer.error === undefined) {
    await store.batch([{ op: 'del', bucket: OUTBOX, key }, note], { frees: true });
    log.info({ webhook: hook, ...namedBy(message), message: key, status: answer.status }, 'webhook delivered');
    return 'delivered';
  }
  const isOver = now - Math.max(value.since, resumed) >= GIVEN_UP_AFTER_MS || value.tries + 1 >= MOST_TRIES;
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(value.tries, 20));
  const later: QueuedMessage = {
    ...value,
    tries: value.tries + 1,
    state: isOver ? 'given-up' : 'queued',
    not_before: now + pause,
    rev: value.rev + 1,
  };
  // An operator may have it sent again at this moment: then that counts.
  await store.batch([{ op: 'put', bucket: OUTBOX, key, value: later, ifEtag: etag }, note]).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
  });
  const told = { webhook: hook, ...namedBy(message), message: key, status: answer.status, error: answer.error };
  if (isOver) log.error(told, 'webhook given up: nobody has taken the message for a day');
  else log.warn({ ...told, tries: later.tries }, 'webhook not delivered; it is sent again later');
  return isOver ? 'given-up' : 'failed';
}

/** What a message is about, for the log. */
function namedBy(message: WebhookMessage): { readonly order: string } | { readonly fan_out: string } {
  return 'order' in message ? { order: message.order } : { fan_out: message.fan_out };
}
