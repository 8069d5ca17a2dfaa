/** What the metrics tell of the stores: how often, how long, and how it ended. */
import { Counter, Histogram, type Registry } from 'prom-client';
import * as documentErrors from '#lib/documents/errors.ts';
import * as objectErrors from '#lib/objects/errors.ts';
import type { OperationObserver } from '#lib/runtime/operation-observer.ts';

/** Of errors, those whose names may become labels. */
const NAMED: ReadonlySet<string> = new Set([...Object.keys(documentErrors), ...Object.keys(objectErrors)]);

/** Observes the stores of a kind. @param kind `document` or `object`, with which the names of the metrics begin */
export function storeMetrics(registry: Registry, kind: 'document' | 'object'): (store: string) => OperationObserver {
  const operations = new Counter({
    name: `${kind}_store_operations_total`,
    help: `count of operations of the ${kind} stores, by how they ended`,
    labelNames: ['store', 'operation', 'result'] as const,
    registers: [registry],
  });
  const duration = new Histogram({
    name: `${kind}_store_operation_duration_seconds`,
    help: `time that operations of the ${kind} stores took that did not fail`,
    labelNames: ['store', 'operation'] as const,
    buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10, 100],
    registers: [registry],
  });
  return (store) => ({
    succeeded(operation, seconds, count) {
      operations.inc({ store, operation, result: 'ok' }, count);
      duration.observe({ store, operation }, seconds);
    },
    failed(operation, error) {
      operations.inc({ store, operation, result: resultOf(error) });
    },
  });
}

function resultOf(error: unknown): string {
  const { name } = error instanceof Error ? error : { name: '' };
  return NAMED.has(name) ? name : 'other';
}
