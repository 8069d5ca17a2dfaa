/** Copies the archive of manifests, which lives on in the store that takes what belongs to no image. */
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { ARCHIVE_SESSIONS } from '../images/files/archive.ts';
import type { Service } from '../service/service.ts';

const TOP = 'archive';

/** What is there already is newer: it was archived since the new store is the preferred one. Returns how many were copied. */
export async function moveArchive(
  service: Service,
  source: ObjectStore,
  target: ObjectStore,
  signal: AbortSignal,
): Promise<number> {
  if (service.storages.preferred.name !== target.name) return 0;
  let count = 0;
  for await (const path of objectsBelow(source, TOP)) {
    signal.throwIfAborted();
    if (await target.info(path)) continue;
    await copy(source, target, path, signal);
    count += 1;
  }
  return count;
}

async function* objectsBelow(store: ObjectStore, path: string): AsyncGenerator<string, void> {
  for (const { name, type } of await store.list(path)) {
    if (type === 'object') yield `${path}/${name}`;
    else yield* objectsBelow(store, `${path}/${name}`);
  }
}

async function copy(source: ObjectStore, target: ObjectStore, path: string, signal: AbortSignal): Promise<void> {
  const session = await target.open({ path, session: `${ARCHIVE_SESSIONS}${newUuid()}`, once: true, signal });
  try {
    const { stream } = await source.read(path, { signal });
    await session.append(stream, { signal });
    await session.commit();
  } finally {
    await session.discard();
  }
}
