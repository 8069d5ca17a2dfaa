/**
 * The manifest archive: the last manifest of every image that ever existed, as a JSON file below `archive/` of the
 * preferred store, so that it is on no single machine's disk where there is a shared store. It outlives the image, so that
 * deleted images stay documented. A task writes what is noted (`to-archive.ts`); a deletion archives the manifest that its
 * tombstone kept, after freeing space.
 */

import { Readable } from 'node:stream';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { archivePath } from '#lib/manifest/object-paths.ts';
import { travellingManifest } from '#lib/manifest/travel.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { loadImage, type StoredImage } from '../record/load.ts';
import { serializeToKeep } from '../record/serialize.ts';
import { isNoImageYet, noteUnlessNoted, TO_ARCHIVE, type ToArchive } from './to-archive.ts';

/** How each image was last archived. */
interface Archived {
  readonly etag: string;
  /** The store that its manifest lies in. Older processes do not say. */
  readonly stor?: string;
}

export const ARCHIVED: Bucket<Archived> = { name: 'imgapi_archived', version: 1, index: {} };

/** Prefix of the archive's write sessions. They last only moments, and are registered nowhere. */
export const ARCHIVE_SESSIONS = 'archive.';

/** Archives the images that are noted. Returns how many. */
export async function archiveManifests(service: Service, signal: AbortSignal): Promise<number> {
  let count = 0;
  await forEachInTurn(service.store.scan(TO_ARCHIVE, {}, { signal }), async (notes) => {
    await forEachInTurn(notes, async (note) => {
      signal.throwIfAborted();
      if (await archiveNoted(service, note)) count++;
    });
  });
  return count;
}

/** The image is read after its note: what is archived is at least as new as the note, which only goes if it is still the same. */
async function archiveNoted(
  service: Service,
  { key: uuid, value: note, etag: ifEtag }: Stored<ToArchive>,
): Promise<boolean> {
  const found = await loadImage(service, uuid);
  const stored = found && !isNoImageYet(found.value) ? found : undefined;
  const manifest = stored ? archivedManifest(service, stored) : note.manifest;
  const { name: stor } = service.storages.preferred;
  if (manifest) await writeArchive(service, uuid, manifest);
  const writes: Write[] = [{ op: 'del', bucket: TO_ARCHIVE, key: uuid, ifEtag }];
  if (stored) writes.push({ op: 'put', bucket: ARCHIVED, key: uuid, value: { etag: stored.etag, stor } });
  // Otherwise another run, or a writer, was here meanwhile.
  if (!(await unlessChanged(service.store.batch(writes)))) await noteUnlessNoted(service, uuid);
  return manifest !== undefined;
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
