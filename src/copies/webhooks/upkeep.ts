/** What operators see of webhooks and do to them, and what goes by itself. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { WebhookAnswer, WebhookStatus } from '#lib/api/schemas/webhook.ts';
import type { Filter } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import type { Service } from '../../service/service.ts';
import { ANSWERS, type LastAnswer, messagesOf, OUTBOX, type QueuedMessage } from './outbox.ts';

export function webhookStatuses({ store, config }: Pick<Service, 'store' | 'config'>): Promise<WebhookStatus[]> {
  return Promise.all(
    config.webhooks.map(async ({ name, url, events }) => {
      const queued = messagesOf(name, 'queued');
      const [count, givenUp, [oldest], last] = await Promise.all([
        store.count(OUTBOX, queued),
        store.count(OUTBOX, messagesOf(name, 'given-up')),
        store.find(OUTBOX, { filter: queued, sort: { field: 'since', order: 'asc' }, limit: 1 }),
        store.get(ANSWERS, name),
      ]);
      const { origin, pathname } = new URL(url);
      return {
        name,
        url: origin + pathname,
        events,
        queued: count,
        given_up: givenUp,
        ...(oldest && { oldest: new Date(oldest.value.since).toISOString() }),
        ...(last && { last: shownAnswer(last.value) }),
      };
    }),
  );
}

function shownAnswer({ resumed: _, ...answer }: LastAnswer): WebhookAnswer {
  return answer;
}

/** Has all messages of a webhook sent now, and for another day. Returns how many. @throws 404 ResourceNotFound */
export async function retryWebhook(
  { store, config }: Pick<Service, 'store' | 'config'>,
  name: string,
): Promise<number> {
  if (!config.webhooks.some((hook) => hook.name === name)) {
    throw new ApiError('ResourceNotFound', `there is no webhook "${name}" in the configuration`);
  }
  const filter: Filter = { op: 'eq', field: 'hook', value: name };
  let retried = 0;
  for await (const found of store.scan(OUTBOX, { filter })) {
    for (const { key, value, etag } of found) {
      const now = store.now();
      const fresh = { tries: 0, not_before: now, since: now };
      const again: QueuedMessage = { ...value, state: 'queued', ...fresh, rev: value.rev + 1 };
      // Delivered meanwhile, or tried again just now.
      if (await unlessChanged(store.batch([{ op: 'put', bucket: OUTBOX, key, value: again, ifEtag: etag }]))) retried++;
    }
  }
  return retried;
}

/** The periodic task: removes messages that were given up long ago, or whose webhook is no more. Returns how many. */
export async function expireMessages({ store, config }: Pick<Service, 'store' | 'config'>): Promise<number> {
  const until = store.now() - config.copies.keepFinishedSeconds * 1000;
  const hooks = new Set(config.webhooks.map(({ name }) => name));
  let count = 0;
  for await (const found of store.scan(OUTBOX, { filter: { op: 'lt', field: 'since', value: until } })) {
    for (const { key, etag, value } of found) {
      // What is still to be sent is given up first.
      if (value.state === 'queued' && hooks.has(value.hook)) continue;
      // It may have been queued again meanwhile.
      const removal = store.batch([{ op: 'del', bucket: OUTBOX, key, ifEtag: etag }], { frees: true });
      if (await unlessChanged(removal)) count += 1;
    }
  }
  return count;
}
