/** What a supervisor and its workers tell each other. */
import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The metrics of one process, as prom-client exports them for aggregation. */
export type MetricsPart = readonly MetricObjectWithValues<MetricValue<string>>[];

export type ToSupervisor =
  /** The worker listens; `line` says where. */
  | { readonly fleet: 'ready'; readonly line: string }
  /** Its event loop turns. */
  | { readonly fleet: 'alive' }
  /** The worker's own metrics: asked for, or the last ones before it ends. */
  | { readonly fleet: 'metrics'; readonly part: MetricsPart }
  /** Asks for the metrics of all workers. */
  | { readonly fleet: 'gather'; readonly id: number };

export type ToWorker =
  /** Another worker has taken its place: it may take so many milliseconds to finish what it has begun. */
  | { readonly fleet: 'retire'; readonly within: number }
  /** Asks for the worker's own metrics. */
  | { readonly fleet: 'report' }
  | { readonly fleet: 'gathered'; readonly id: number; readonly parts: readonly MetricsPart[] };

/** Whether it is one of ours; node and libraries use the same channel. */
export function isFleetMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && Object.hasOwn(message, 'fleet');
}
