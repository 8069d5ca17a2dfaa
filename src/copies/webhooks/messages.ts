/** What webhooks are told. Operators receive it, so it may name all accounts, but it holds no passwords. */
import type { CopyWebhookEvent, FanOutWebhookEvent } from '#lib/api/schemas/webhook.ts';
import type { Write } from '#lib/documents/store.ts';
import { redact } from '#lib/text/redact.ts';
import type { Service } from '../../service/service.ts';
import type { CopyOrder } from '../documents/model.ts';
import type { FanOutRecord, Target } from '../fan-out/model.ts';
import { queued } from './outbox.ts';

/** Belongs in the batch that ends the order. */
export function copyMessages(
  service: Pick<Service, 'store' | 'config'>,
  event: CopyWebhookEvent,
  order: CopyOrder,
): Write[] {
  const { uuid, kind, ordered_by: by, hold, image, images, source, account, finish_by, error, request_id } = order;
  const { created_at, finished_at = new Date(service.store.now()).toISOString() } = order;
  return queued(service, event, ({ id, ...heading }) => ({
    id,
    event,
    ...heading,
    order: uuid,
    kind,
    // Ordered again here, it would be shown although the others are not there yet.
    ...(by && { ordered_by: by.datacenter, fan_out: by.fan_out }),
    ...(hold && { held: true }),
    image,
    images,
    source: redact(source),
    ...(account !== undefined && { account }),
    ...(finish_by !== undefined && { finish_by }),
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(request_id !== undefined && { request_id }),
    created_at,
    finished_at,
  }));
}

const ENDED = { succeeded: 'fan-out-done', failed: 'fan-out-failed', canceled: 'fan-out-canceled' } as const;

/** Belongs in the batch of the change. @param after as it is being written */
export function fanOutMessages(
  service: Pick<Service, 'store' | 'config'>,
  before: FanOutRecord,
  after: FanOutRecord,
): Write[] {
  const event = eventOf(before, after);
  if (!event) return [];
  const { uuid, image, account, together, released = false, targets, finish_by, created_at, finished_at } = after;
  return queued(service, event, ({ id, ...heading }) => ({
    id,
    event,
    ...heading,
    fan_out: uuid,
    image,
    account,
    together,
    released,
    datacenters: targets.map(toldTarget),
    ...(finish_by !== undefined && { finish_by }),
    created_at,
    ...(finished_at !== undefined && { finished_at }),
  }));
}

function eventOf(before: FanOutRecord, after: FanOutRecord): FanOutWebhookEvent | undefined {
  if (after.state !== 'running') return before.state === 'running' ? ENDED[after.state] : undefined;
  // The others wait for it, for days, until somebody tries it again.
  const isWaiting = after.together && !after.released && !after.canceling;
  const isNew = after.targets.some((target, at) => hasFailed(target) && !hasFailed(before.targets[at]));
  return isWaiting && isNew ? 'fan-out-blocked' : undefined;
}

function hasFailed(target: Target | undefined): boolean {
  return target?.state === 'failed' || target?.state === 'canceled';
}

function toldTarget({ datacenter, state, order, error }: Target) {
  return { datacenter, state, ...(order !== undefined && { order }), ...(error && { error }) };
}
