/** Removes jobs that ended long ago. */
import { forEachInTurn } from '../runtime/each.ts';
import type { Job } from './job-runner.ts';
import type { Bucket, Filter, WithStore } from './store.ts';
import { unlessChanged } from './update.ts';

/** @param keepSeconds for how long they are kept after their end. Returns how many were removed. */
export async function expireJobs<J extends Job>(
  { store }: WithStore,
  bucket: Bucket<J>,
  keepSeconds: number,
): Promise<number> {
  const value = new Date(store.now() - keepSeconds * 1000).toISOString();
  const of: Filter[] = [
    { op: 'eq', field: 'live', value: false },
    { op: 'le', field: 'finished_at', value },
  ];
  let count = 0;
  await forEachInTurn(store.scan(bucket, { filter: { op: 'and', of } }), (found) =>
    forEachInTurn(found, async ({ key, etag }) => {
      const removal = store.batch([{ op: 'del', bucket, key, ifEtag: etag }], { frees: true });
      if (await unlessChanged(removal)) count++;
    }),
  );
  return count;
}
