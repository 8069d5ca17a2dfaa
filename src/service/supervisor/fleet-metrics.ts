/**
 * The metrics of all workers together. What a worker that ended had counted is kept: a sum that lost a part of itself
 * would look like a counter that began again, and everything since its beginning would be counted twice.
 */
import { AggregatorRegistry } from 'prom-client';
import { within } from '#lib/runtime/within.ts';
import type { MetricsPart } from './messages.ts';

/** A source of metrics that may end at any time. */
export interface Reporter {
  /** Asks for a report, which comes to {@link FleetMetrics.onReport}. */
  ask(): void;
}

/** After so long, the last report of a worker stands for it: it may hang, or be about to end. */
const REPORT_WITHIN_MS = 1000;
/** What only grows, and so outlives its process. */
const LASTING: ReadonlySet<string> = new Set(['counter', 'histogram']);

export class FleetMetrics {
  readonly #latest = new Map<Reporter, MetricsPart>();
  readonly #waiting = new Map<Reporter, Set<() => void>>();
  #departed: MetricsPart = [];
  #settled: Promise<void> = Promise.resolve();

  onReport(reporter: Reporter, part: MetricsPart): void {
    this.#latest.set(reporter, part);
    for (const resolve of this.#waiting.get(reporter) ?? []) resolve();
    this.#waiting.delete(reporter);
  }

  /** To be called when a reporter has ended. */
  onGone(reporter: Reporter): void {
    const last = this.#latest.get(reporter);
    this.#latest.delete(reporter);
    for (const resolve of this.#waiting.get(reporter) ?? []) resolve();
    this.#waiting.delete(reporter);
    if (last) this.#settled = this.#settled.then(() => this.#keep(last));
  }

  /** A part for each of the reporters, and one for those that ended. */
  async gather(reporters: readonly Reporter[]): Promise<MetricsPart[]> {
    await Promise.all(reporters.map((reporter) => this.#reported(reporter)));
    await this.#settled;
    return [this.#departed, ...this.#latest.values()];
  }

  async #reported(reporter: Reporter): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(reporter) ?? new Set();
    this.#waiting.set(reporter, waiting.add(resolve));
    reporter.ask();
    await within(REPORT_WITHIN_MS, promise, () => undefined);
    waiting.delete(resolve);
  }

  async #keep(part: MetricsPart): Promise<void> {
    const lasting = part.filter(({ type }) => LASTING.has(String(type)));
    this.#departed = await sumOf([this.#departed, lasting]).getMetricsAsJSON();
  }
}

/** The metrics of several processes as those of one. */
export function sumOf(parts: readonly MetricsPart[]): ReturnType<typeof AggregatorRegistry.aggregate> {
  return AggregatorRegistry.aggregate([...parts]);
}
