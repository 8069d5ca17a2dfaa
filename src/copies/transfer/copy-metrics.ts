/** How many bytes copies brought, and by which way. */
import { Counter, type Registry } from 'prom-client';
import type { CopySource } from '#lib/api/schemas/copy.ts';

export type CountBytes = (way: CopySource, bytes: number) => void;

export function copyMetrics(registry: Registry): CountBytes {
  const bytes = new Counter({
    name: 'copy_bytes_total',
    help: 'bytes that copies brought, by how: those that were here or in the same store were not fetched',
    labelNames: ['source'] as const,
    registers: [registry],
  });
  return (source, count) => bytes.inc({ source }, count);
}
