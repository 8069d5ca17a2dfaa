/** How many bytes copies brought, by which way, and how many could not end in time. */
import { Counter, type Registry } from 'prom-client';
import type { CopySource } from '#lib/api/schemas/copy.ts';

export type CountBytes = (way: CopySource, bytes: number) => void;

export function copyMetrics(registry: Registry): { readonly countBytes: CountBytes; readonly onLate: () => void } {
  const bytes = new Counter({
    name: 'copy_bytes_total',
    help: 'bytes that copies brought, by how: those that were here or in the same store were not fetched',
    labelNames: ['source'] as const,
    registers: [registry],
  });
  const late = new Counter({
    name: 'copy_deadlines_missed_total',
    help: 'orders of copies of which it was seen that they cannot end by the time that was asked for',
    registers: [registry],
  });
  return {
    countBytes: (source, count) => bytes.inc({ source }, count),
    onLate: () => late.inc(),
  };
}
