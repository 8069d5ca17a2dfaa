/** What a backend provides to the suite. */
import type { Test } from 'tap';
import type { Store } from '#lib/documents/store.ts';

export interface Made {
  readonly store: Store;
  reopen(): Promise<Store>;
}

export type Make = (t: Test) => Promise<Made>;
