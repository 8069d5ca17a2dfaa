/** The metrics of one process, of all its parts. Loaded only where the configuration has metrics: what keeps them takes a twentieth of a start. */
import { copyMetrics } from './copies/transfer/copy-metrics.ts';
import { webhookMetrics } from './copies/webhooks/webhook-metrics.ts';
import { listenMetrics, makeMetrics } from './http-kit/metrics.ts';
import { stateMetrics } from './maintenance/metrics/state-metrics.ts';
import { scrubMetrics } from './maintenance/scrub/metrics.ts';
import type { Service } from './service/service.ts';
import { accountCacheMetrics, type StoreMetrics, storeMetrics } from './service/store-metrics.ts';
import { metricsText } from './service/supervisor/fleet-text.ts';
import type { FleetMember } from './service/supervisor/member.ts';

export type ProcessMetrics = ReturnType<typeof processMetrics>;

/** Each function is called once, when its part starts. @param labels of all metrics */
export function processMetrics(labels: Readonly<Record<string, string>>) {
  const { registry, record } = makeMetrics(labels);
  return {
    record,
    stores: {
      observe: (kind) => storeMetrics(registry, kind),
      onLookUp: () => accountCacheMetrics(registry),
    } satisfies StoreMetrics,
    copies: () => copyMetrics(registry),
    tasks: () => ({ scrubs: scrubMetrics(registry), deliveries: webhookMetrics(registry) }),
    /** What the listener answers: of this process or its fleet, and of the datacenter. */
    text: (service: Service, fleet: FleetMember | undefined) =>
      allOf(metricsText(registry, fleet, labels), stateMetrics(service, labels)),
    listen: listenMetrics,
  };
}

/** One text of several. */
function allOf(...texts: readonly (() => Promise<string>)[]): () => Promise<string> {
  return async () => (await Promise.all(texts.map((text) => text()))).filter((text) => text !== '').join('\n');
}
