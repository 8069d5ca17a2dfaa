/**
 * What every backend of the document store must do: each sentence of the docstrings in `lib/documents/store.ts`.
 *
 * `make` opens a store on data of its own, and `reopen` another on the same data, as another process would. When the
 * test ends, `make` closes both and removes the data; a test may close them earlier.
 */
import { test } from 'tap';
import { batchTests } from './documents/batches.ts';
import { bucketTests } from './documents/buckets.ts';
import { clockTests } from './documents/clock.ts';
import { documentTests } from './documents/documents.ts';
import { elementTests } from './documents/elements.ts';
import { filterTests } from './documents/filters.ts';
import type { Make } from './documents/make.ts';
import { modelTests } from './documents/model.ts';
import { orderTests } from './documents/order.ts';
import { scanTests } from './documents/scan.ts';
import { updateTests } from './documents/updates.ts';

export function storeConformance(name: string, make: Make): void {
  const parts = {
    documentTests,
    batchTests,
    filterTests,
    orderTests,
    scanTests,
    clockTests,
    elementTests,
    bucketTests,
    updateTests,
    modelTests,
  };
  for (const [part, define] of Object.entries(parts)) {
    test(`${name}: ${part.replace('Tests', 's')}`, async (t) => define(t, make));
  }
}
