/** Metrics of the stores: how often an operation ran, how long it took, and how it ended. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import * as documentErrors from '#lib/documents/errors.ts';
import * as objectErrors from '#lib/objects/errors.ts';
import type { OperationObserver } from '#lib/runtime/operation-observer.ts';

/** Names of errors that may become labels. */
const NAMED: ReadonlySet<string> = new Set([
  ...Object.keys(documentErrors),
  ...Object.keys(objectErrors),
  DirectoryUnavailableError.name,
]);

/** What the stores of a process are given, once for each kind. */
export interface StoreMetrics {
  observe(kind: 'document' | 'object' | 'account'): (store: string) => OperationObserver;
  onLookUp(): (answer: 'hit' | 'miss') => void;
}

/** Observes the stores of one kind. @param kind the names of the metrics begin with it */
export function storeMetrics(
  registry: Registry,
  kind: 'document' | 'object' | 'account',
): (store: string) => OperationObserver {
  const operations = new Counter({
    name: `${kind}_store_operations_total`,
    help: `count of operations of the ${kind} stores, by how they ended`,
    labelNames: ['store', 'operation', 'result'] as const,
    registers: [registry],
  });
  const duration = new Histogram({
    name: `${kind}_store_operation_duration_seconds`,
    help: `duration of the operations of the ${kind} stores that did not fail`,
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

/** Counts look-ups of accounts by whether they were answered from memory. */
export function accountCacheMetrics(registry: Registry): (answer: 'hit' | 'miss') => void {
  const lookUps = new Counter({
    name: 'account_cache_lookups_total',
    help: 'count of look-ups of accounts, by whether memory answered them',
    labelNames: ['answer'] as const,
    registers: [registry],
  });
  return (answer) => lookUps.inc({ answer });
}
