/** What the metrics listener answers: the metrics of this process, or of the fleet that it belongs to. */
import type { Registry } from 'prom-client';
import { sumOf } from './fleet-metrics.ts';
import type { FleetMember } from './member.ts';

export function metricsText(registry: Registry, fleet: FleetMember | undefined): () => Promise<string> {
  if (!fleet) return () => registry.metrics();
  fleet.reports(() => registry.getMetricsAsJSON());
  return async () => sumOf(await fleet.gather()).metrics();
}
