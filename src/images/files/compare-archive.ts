/**
 * Finds the images that the archive does not hold as they are now, though nothing notes them: those that another IMGAPI, or
 * an older process beside this one, has written to the same documents. It looks at all images, by their etags alone.
 */

import { Ahead } from '#lib/documents/ahead.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { Turn } from '#lib/runtime/turns.ts';
import { ARCHIVED } from './archive.ts';
import { noteUnlessNoted } from './to-archive.ts';

/** Notes those that are to be archived and are not noted. Returns how many. */
export async function compareArchive(service: WithStore, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const uuid of notArchived(service, signal)) {
    if (await noteUnlessNoted(service, uuid)) count += 1;
  }
  return count;
}

async function* notArchived({ store }: WithStore, signal: AbortSignal): AsyncGenerator<string, void> {
  const archived = new Ahead(store.scan(ARCHIVED, {}, { signal }));
  const turn = new Turn();
  try {
    for await (const found of store.scan(IMAGES, {}, { signal, withoutValues: true })) {
      for (const { key, etag } of found) {
        if (turn.isOver) await turn.next();
        let known = await archived.peek();
        // Of images that are no more.
        for (; known && known.key < key; known = await archived.peek()) archived.take();
        if (known?.key !== key || known.value.etag !== etag) yield key;
      }
    }
  } finally {
    await archived.close();
  }
}
