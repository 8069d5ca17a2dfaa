/** Removes jobs that ended long ago. */
import type { Filter } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../service/service.ts';
import { IMAGE_JOBS } from './model.ts';

/** Kept as long as the orders of copies. Returns how many were removed. */
export async function expireImageJobs({ store, config }: Service): Promise<number> {
  const cutoff = new Date(store.now() - config.copies.keepFinishedSeconds * 1000).toISOString();
  const filter: Filter = {
    op: 'and',
    of: [
      { op: 'eq', field: 'live', value: false },
      { op: 'le', field: 'finished_at', value: cutoff },
    ],
  };
  let count = 0;
  await forEachInTurn(store.scan(IMAGE_JOBS, { filter }), (found) =>
    forEachInTurn(found, async ({ key, etag }) => {
      const removal = store.batch([{ op: 'del', bucket: IMAGE_JOBS, key, ifEtag: etag }], { frees: true });
      if (await unlessChanged(removal)) count++;
    }),
  );
  return count;
}
