/** How many messages webhooks took, and how many not. */
import { Counter, type Registry } from 'prom-client';
import type { CountDelivery } from './deliver.ts';

export function webhookMetrics(registry: Registry): CountDelivery {
  const deliveries = new Counter({
    name: 'webhook_deliveries_total',
    help: 'count of messages that were sent to webhooks, by whether they were taken',
    labelNames: ['webhook', 'result'] as const,
    registers: [registry],
  });
  return (webhook, result) => deliveries.inc({ webhook, result });
}
