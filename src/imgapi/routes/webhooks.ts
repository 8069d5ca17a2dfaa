/** AdminListWebhooks, AdminRetryWebhook. */
import type { WEBHOOKS } from '#lib/api/imgapi/webhooks.ts';
import { retryWebhook, webhookStatuses } from '../../copies/webhooks/upkeep.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

export function webhookHandlers(service: Service): Handlers<typeof WEBHOOKS, Call> {
  return {
    async AdminListWebhooks() {
      return { json: await webhookStatuses(service) };
    },

    async AdminRetryWebhook(call) {
      const { name = '' } = call.params;
      const retried = await retryWebhook(service, name);
      call.log.info({ webhook: name, retried, req_id: call.requestId }, 'messages of a webhook are sent again');
      return { json: { retried } };
    },
  };
}
