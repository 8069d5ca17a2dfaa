/**
 * What every backend of the document store has to do: each sentence of the docstrings in `lib/moray/store.ts`.
 *
 * `make` opens a store on data of its own. `reopen` opens another on the same data, as another process would. Both
 * are closed, and the data removed, by `make` when the test ends; a test may close them before.
 */
import type { Test } from 'tap';
import { test } from 'tap';
import type { Store } from '#lib/moray/store.ts';
import { batchTests } from './store/batches.ts';
import { bucketTests } from './store/buckets.ts';
import { clockTests } from './store/clock.ts';
import { documentTests } from './store/documents.ts';
import { elementTests } from './store/elements.ts';
import { filterTests } from './store/filters.ts';
import { modelTests } from './store/model.ts';
import { orderTests } from './store/order.ts';
import { scanTests } from './store/scan.ts';
import { updateTests } from './store/updates.ts';

export interface Made {
  readonly store: Store;
  reopen(): Promise<Store>;
}

export type Make = (t: Test) => Promise<Made>;

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
