/**
 * What webhooks are still to be told. A message is written in the batch that ends the order, so that neither can be without
 * the other (`messages.ts`); `deliver.ts` sends it, at least once.
 */
import type { WebhookAnswer, WebhookEvent, WebhookMessage } from '#lib/api/schemas/webhook.ts';
import type { Bucket, Filter, Write } from '#lib/documents/store.ts';
import { newTimeUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';

/** A message to one webhook. The key is its ID. */
export interface QueuedMessage {
  /** The name of the webhook. */
  readonly hook: string;
  readonly state: 'queued' | 'given-up';
  readonly message: WebhookMessage;
  /** How often it was sent, since it was written or an operator had it sent again. */
  readonly tries: number;
  /** Milliseconds since the epoch, by the store's clock: it is not sent before then. */
  readonly not_before: number;
  /** When it was written, or when an operator had it sent again, by the same clock. */
  readonly since: number;
  /** Counts the writes of this document. */
  readonly rev: number;
}

export const OUTBOX: Bucket<QueuedMessage> = {
  name: 'imgapi_webhook_messages',
  version: 1,
  index: {
    hook: { type: 'string' },
    state: { type: 'string', few: true },
    not_before: { type: 'number' },
    since: { type: 'number' },
  },
};

export interface LastAnswer extends WebhookAnswer {
  /** Milliseconds since the epoch, by the store's clock: when sending went on after this service had been down. */
  readonly resumed?: number;
}

/** How each webhook answered last, by its name. */
export const ANSWERS: Bucket<LastAnswer> = { name: 'imgapi_webhook_answers', version: 1, index: {} };

export const WEBHOOK_BUCKETS: readonly Bucket[] = [OUTBOX, ANSWERS];

/** What every message says. */
export interface Heading {
  readonly id: string;
  readonly datacenter?: string;
}

/** A message to each webhook that wants to know. Belongs in the batch of what it tells. */
export function queued(
  { store, config }: Pick<Service, 'store' | 'config'>,
  event: WebhookEvent,
  write: (heading: Heading) => WebhookMessage,
): Write[] {
  const hooks = config.webhooks.filter(({ events }) => events.includes(event));
  const now = store.now();
  const since = { since: now, not_before: now };
  const { datacenterName: datacenter } = config;
  return hooks.map(({ name: hook }) => {
    const id = newTimeUuid(now);
    const message = write({ id, ...(datacenter !== undefined && { datacenter }) });
    const value: QueuedMessage = { hook, state: 'queued', message, tries: 0, ...since, rev: 1 };
    return { op: 'put', bucket: OUTBOX, key: id, value };
  });
}

export function messagesOf(hook: string, state: QueuedMessage['state']): Filter {
  return {
    op: 'and',
    of: [
      { op: 'eq', field: 'hook', value: hook },
      { op: 'eq', field: 'state', value: state },
    ],
  };
}
