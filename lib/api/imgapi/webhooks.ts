/** Who is told of copies that ended. Only the configuration says who that is. */
import { Type } from 'typebox';
import { WebhookRetry, WebhookStatus } from '../schemas/webhook.ts';
import { accountQuery, type ImgapiOperations } from './form.ts';

const administration = { since: 1, auth: 'operator', callers: ['operator'] } as const;

export const WEBHOOKS = {
  AdminListWebhooks: {
    ...administration,
    summary: 'Lists the webhooks of the configuration: what waits for each, and how it answered last.',
    method: 'GET',
    path: '/admin/webhooks',
    query: accountQuery,
    replies: [{ status: 200, json: Type.Array(WebhookStatus) }],
    errors: ['OperatorOnly'],
  },

  AdminRetryWebhook: {
    ...administration,
    summary:
      'Has all messages of a webhook sent now, those that were given up as well; they are tried for another day.',
    method: 'POST',
    path: '/admin/webhooks/:name/retry',
    params: Type.Object({ name: Type.String({ description: 'The webhook.' }) }),
    query: accountQuery,
    replies: [{ status: 200, json: WebhookRetry }],
    errors: ['OperatorOnly', 'ResourceNotFound'],
  },
} as const satisfies ImgapiOperations;
