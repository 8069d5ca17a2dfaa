/**
 * The manifest archive: the last manifest of every image that ever existed, as a JSON file below `archive/` of the
 * preferred store, so that it is on no single machine's disk where there is a shared store. It outlives the image, so that
 * deleted images stay documented. A task keeps it up to date; a deletion archives the manifest that its tombstone kept,
 * after freeing space.
 */

import { Readable } from 'node:stream';
import { Ahead } from '#lib/documents/ahead.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { archivePath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { travellingManifest } from '#lib/manifest/travel.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { Turn } from '#lib/runtime/turns.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { loadImage, type StoredImage } from '../record/load.ts';
import { serializeToKeep } from '../record/serialize.ts';

/** The etag at which each image was last archived. */
interface Archived {
  readonly etag: string;
}

export const ARCHIVED: Bucket<Archived> = { name: 'imgapi_archived', version: 1, index: {} };

/** Prefix of the archive's write sessions. They last only moments, and are registered nowhere. */
export const ARCHIVE_SESSIONS = 'archive.';

/** Archives the images that have changed since they were last archived. Returns how many. */
export async function archiveManifests(service: Service, signal: AbortSignal): Promise<number> {
  let count = 0;
  await forEachInTurn(notArchived(service, signal), async (keys) => {
    await forEachInTurn(keys, async (key) => {
      const stored = await loadImage(service, key);
      if (!stored) return;
      await archiveManifest(service, stored);
      count++;
    });
  });
  return count;
}

/** Those of which the archive has no manifest, or another one. By etags alone: nearly all images are as they were, each time. */
async function* notArchived({ store }: Service, signal: AbortSignal): AsyncGenerator<readonly string[], void> {
  const archived = new Ahead(store.scan(ARCHIVED, {}, { signal }));
  const turn = new Turn();
  try {
    for await (const found of store.scan(IMAGES, {}, { signal, withoutValues: true })) {
      const keys: string[] = [];
      for (const { key, etag } of found) {
        if (turn.isOver) await turn.next();
        let known = await archived.peek();
        // Of images that are no more.
        for (; known && known.key < key; known = await archived.peek()) archived.take();
        if (known?.key !== key || known.value.etag !== etag) keys.push(key);
      }
      if (keys.length > 0) yield keys;
    }
  } finally {
    await archived.close();
  }
}

async function archiveManifest(service: Service, stored: StoredImage): Promise<void> {
  const { key: uuid, etag } = stored;
  await writeArchive(service, uuid, archivedManifest(service, stored));
  await service.store.batch([{ op: 'put', bucket: ARCHIVED, key: uuid, value: { etag } }]);
}

/** An image as the archive holds it. */
export function archivedManifest(service: Service, { value }: StoredImage): Readonly<Record<string, unknown>> {
  return travellingManifest(serializeToKeep(value, { mode: service.config.mode, showsReplacement: true }), 'archive');
}

export async function writeArchive(service: Service, uuid: string, manifest: object): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const session = await service.storages.preferred.open({
    path: archivePath(uuid),
    session: `${ARCHIVE_SESSIONS}${uuid}.${newUuid()}`,
    essential: true,
    once: true,
  });
  try {
    await session.append(Readable.from([Buffer.from(text)]));
    await session.commit();
  } finally {
    await session.discard();
  }
}
