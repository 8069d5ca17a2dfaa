/** The engines of the object stores by `storageTypes`. An engine's library is loaded only if the configuration names it. */
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { StorageType } from '../config/config.ts';
import type { ObjectEngine, ObjectsOpening } from './opening.ts';

const ENGINES: Readonly<Partial<Record<StorageType, () => Promise<ObjectEngine>>>> = {
  local: async () => (await import('./local.ts')).openLocal,
  manta: async () => (await import('./manta.ts')).openManta,
  s3: async () => (await import('./s3.ts')).openS3,
};

/** @throws ConfigError, ObjectStoreUnavailableError */
export async function openObjects(type: StorageType, opening: ObjectsOpening): Promise<ObjectStore> {
  const open = await ENGINES[type]?.();
  if (open === undefined) throw new Error(`there is no engine for the storage type "${type}"`);
  return open(opening);
}
