/**
 * Copies the archive of manifests, which lies in the store that takes what belongs to no image. That is the new one; or the old
 * one for as long as it is listed, and the new one afterwards.
 */
import type { ObjectInfo, ObjectStore } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { ARCHIVE_SESSIONS } from '../images/files/archive.ts';
import type { Service } from '../service/service.ts';

const TOP = 'archive';

/** Of a manifest that both have, the new store keeps the newer one, or has it then. Returns how many were copied. */
export async function moveArchive(
  service: Service,
  source: ObjectStore,
  target: ObjectStore,
  signal: AbortSignal,
): Promise<number> {
  const { name: preferred } = service.storages.preferred;
  if (preferred !== target.name && preferred !== source.name) return 0;
  let count = 0;
  for await (const path of objectsBelow(source, TOP)) {
    signal.throwIfAborted();
    if (await isUpToDate(source, target, path)) continue;
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

/** What an earlier move has left behind is older than what has been archived elsewhere since. */
async function isUpToDate(source: ObjectStore, target: ObjectStore, path: string): Promise<boolean> {
  const there = await target.info(path);
  if (!there) return false;
  const here = await source.info(path);
  return !here || secondOf(here) <= secondOf(there);
}

/** Not all stores know it more exactly. */
function secondOf({ mtime }: ObjectInfo): number {
  return Math.floor(mtime.getTime() / 1000);
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
