/** Metrics of the passes over all files. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { FINDINGS } from '../../images/files/findings.ts';
import type { Service } from '../../service/service.ts';

export interface ScrubObserver {
  file(result: 'good' | 'bad' | 'skipped', bytes: number): void;
  repair(result: 'repaired' | 'failed'): void;
}

export const unobserved: ScrubObserver = { file: () => undefined, repair: () => undefined };

export function scrubMetrics({ store }: Pick<Service, 'store'>, registry: Registry): ScrubObserver {
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
  new Gauge({
    name: 'damaged_files',
    help: 'stored files that are known to be damaged, in the whole datacenter',
    // All processes see the same ones.
    aggregator: 'max',
    registers: [registry],
    async collect() {
      // While the store is down the number is that of before.
      await store.count(FINDINGS).then(
        (count) => this.set(count),
        () => undefined,
      );
    },
  });
  return {
    file(result, size) {
      files.inc({ result });
      if (result !== 'skipped') bytes.inc(size);
    },
    repair: (result) => repairs.inc({ result }),
  };
}
