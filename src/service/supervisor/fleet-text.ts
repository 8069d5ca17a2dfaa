/** What the metrics listener answers: the metrics of this process, or of the fleet that it belongs to. */
import type { Registry } from 'prom-client';
import { sumOf } from './fleet-metrics.ts';
import type { FleetMember } from './member.ts';
import type { MetricsPart } from './messages.ts';

type Labels = Readonly<Record<string, string>>;

/** @param labels of all metrics, which the supervisor does not know of its own */
export function metricsText(registry: Registry, fleet: FleetMember | undefined, labels: Labels): () => Promise<string> {
  if (!fleet) return () => registry.metrics();
  fleet.reports(() => registry.getMetricsAsJSON());
  return async () => sumOf((await fleet.gather()).map((part) => labelled(part, labels))).metrics();
}

function labelled(part: MetricsPart, labels: Labels): MetricsPart {
  return part.map((metric) => ({
    ...metric,
    values: metric.values.map((one) => ({ ...one, labels: { ...one.labels, ...labels } })),
  }));
}
