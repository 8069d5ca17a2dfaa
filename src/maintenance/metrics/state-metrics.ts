/**
 * The datacenter's state as metrics. They are the same from each of its processes, so that of several workers one alone
 * answers them. What they cost does not depend on how often somebody asks.
 */
import { Gauge, Registry } from 'prom-client';
import { within } from '#lib/runtime/within.ts';
import type { Service } from '../../service/service.ts';
import { countState, type State } from './count-state.ts';

/** Whoever asks within this time gets what was counted last. */
const GOOD_FOR_MS = 15_000;
/** Whoever asks waits no longer for new numbers, and gets the last ones. */
const PATIENCE_MS = 1000;
/** A count that takes longer is given up. */
const LIMIT_MS = 30_000;

/** Returns a function that makes the text of the metrics; it never fails. @param labels of all of them */
export function stateMetrics(service: Service, labels: Readonly<Record<string, string>>): () => Promise<string> {
  let text = '';
  let begun = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  const count = async (): Promise<void> => {
    try {
      text = await textOf(await countState(service, AbortSignal.timeout(LIMIT_MS)), labels);
    } catch (err) {
      service.log.warn({ err }, 'the state of the datacenter could not be counted for the metrics');
    }
  };
  return async () => {
    if (underWay === undefined && performance.now() - begun > GOOD_FOR_MS) {
      begun = performance.now();
      underWay = count().finally(() => {
        underWay = undefined;
      });
    }
    if (underWay !== undefined) await within(PATIENCE_MS, underWay, () => undefined);
    return text;
  };
}

/** Of gauges that are made anew each time: what is gone, such as a link, is gone from the metrics too. */
function textOf(state: State, labels: Readonly<Record<string, string>>): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const at = gauge('imgapi_state_counted_timestamp_seconds', 'when these metrics of the datacenter were counted');
  at.set(state.at / 1000);
  const copies = gauge('imgapi_copies', 'orders of copies that are kept, by state', 'state');
  for (const [name, count] of state.copies) copies.set({ state: name }, count);
  const failed = gauge('imgapi_copies_failed_last_hour', 'orders that failed within the last hour, by error', 'error');
  for (const [error, count] of state.failed) failed.set({ error }, count);
  gauge('imgapi_copies_oldest_live_seconds', 'age of the oldest order that has not ended').set(state.oldestCopy);
  const free = gauge('imgapi_store_free_bytes', 'bytes that may still be written, of stores that can tell', 'store');
  for (const [store, bytes] of state.free) free.set({ store }, bytes);
  showLinks(state, gauge);
  showTasks(state, gauge);
  showScrub(state, gauge);
  return registry.metrics();
}

type MakeGauge = <L extends string>(name: string, help: string, ...labelNames: L[]) => Gauge<L>;

function showLinks({ links }: State, gauge: MakeGauge): void {
  const up = gauge('imgapi_link_up', 'whether the last check of a link found nothing wrong', 'link');
  const checked = gauge('imgapi_link_checked_timestamp_seconds', 'when a link was last checked', 'link');
  const skew = gauge('imgapi_link_clock_skew_seconds', 'how far the clock of the other datacenter is ahead', 'link');
  for (const { name: link, health } of links) {
    if (!health) continue;
    up.set({ link }, health.ok ? 1 : 0);
    checked.set({ link }, Date.parse(health.checked_at) / 1000);
    if (health.clock_skew_seconds !== undefined) skew.set({ link }, health.clock_skew_seconds);
  }
}

function showTasks({ tasks }: State, gauge: MakeGauge): void {
  const failures = gauge('imgapi_task_failures', 'failed runs of a task since it last succeeded', 'task');
  const ended = gauge('imgapi_task_last_run_timestamp_seconds', 'when the last run of a task ended', 'task');
  const took = gauge('imgapi_task_last_run_duration_seconds', 'how long the last run of a task took', 'task');
  for (const [task, { failures: count, last }] of tasks) {
    failures.set({ task }, count);
    if (!last) continue;
    ended.set({ task }, last.ended_at / 1000);
    took.set({ task }, (last.ended_at - last.began_at) / 1000);
  }
}

/** Before the first pass has ended there is no time that could be shown. */
function showScrub({ scrub: { findings, last } }: State, gauge: MakeGauge): void {
  gauge('damaged_files', 'stored files that are known to be damaged').set(findings);
  if (!last) return;
  const ended = gauge('imgapi_scrub_last_pass_timestamp_seconds', 'when the last pass over all files ended');
  ended.set(Date.parse(last.ended_at) / 1000);
  const files = gauge('imgapi_scrub_last_pass_files', 'files that the last pass read, found bad, or skipped', 'result');
  files.set({ result: 'read' }, last.files);
  files.set({ result: 'bad' }, last.bad);
  files.set({ result: 'skipped' }, last.skipped);
}
