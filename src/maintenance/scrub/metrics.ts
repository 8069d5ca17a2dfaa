/** Metrics of the passes over all files; how many are damaged, and when the last pass ended, is among those of the state. */
import { Counter, type Registry } from 'prom-client';
import type { ScrubObserver } from './observer.ts';

export function scrubMetrics(registry: Registry): ScrubObserver {
  const files = new Counter({
    name: 'scrub_files_total',
    help: 'count of stored files that were read again, by what was found',
    labelNames: ['result'] as const,
    registers: [registry],
  });
  const bytes = new Counter({
    name: 'scrub_bytes_total',
    help: 'bytes of stored files that were read again',
    registers: [registry],
  });
  const repairs = new Counter({
    name: 'scrub_repairs_total',
    help: 'count of attempts to fetch the right bytes of damaged files, by how they ended',
    labelNames: ['result'] as const,
    registers: [registry],
  });
  return {
    file(result, size) {
      files.inc({ result });
      if (result !== 'skipped') bytes.inc(size);
    },
    repair: (result) => repairs.inc({ result }),
  };
}
