/**
 * Finds the images that the archive does not hold as they are now, though nothing notes them: those that another IMGAPI, or
 * an older process beside this one, has written to the same documents, and all if the archive is in another store by now. It looks at
 * all images, by their etags alone.
 */

import { Ahead } from '#lib/documents/ahead.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { Turn } from '#lib/runtime/turns.ts';
import type { Service } from '../../service/service.ts';
import { ARCHIVED } from './archive.ts';
import { noteUnlessNoted } from './to-archive.ts';

type Compared = Pick<Service, 'store' | 'storages'>;

/** Notes those that are to be archived and are not noted. Returns how many. */
export async function compareArchive(service: Compared, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const uuid of notArchived(service, signal)) {
    if (await noteUnlessNoted(service, uuid)) count += 1;
  }
  return count;
}

async function* notArchived({ store, storages }: Compared, signal: AbortSignal): AsyncGenerator<string, void> {
  const archived = new Ahead(store.scan(ARCHIVED, {}, { signal }));
  const turn = new Turn();
  const { name: preferred } = storages.preferred;
  try {
    for await (const found of store.scan(IMAGES, {}, { signal, withoutValues: true })) {
      for (const { key, etag } of found) {
        if (turn.isOver) await turn.next();
        let known = await archived.peek();
        // Of images that are no more.
        for (; known && known.key < key; known = await archived.peek()) archived.take();
        const { etag: last, stor = preferred } = known?.key === key ? known.value : {};
        if (last !== etag || stor !== preferred) yield key;
      }
    }
  } finally {
    await archived.close();
  }
}
