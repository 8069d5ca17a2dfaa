/** The engines of the document store by `databaseType`. An engine's library is loaded only if the configuration names it. */
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import type { Config, DatabaseType } from '../config/config.ts';
import { assertArrived } from './arrivals.ts';
import { FollowingStore, type Place } from './following-store.ts';
import type { DocumentEngine, DocumentsOpening } from './opening.ts';

const ENGINES: Readonly<Record<DatabaseType, () => Promise<DocumentEngine>>> = {
  local: async () => (await import('./sqlite.ts')).sqlite,
  moray: async () => (await import('./moray.ts')).moray,
  postgres: async () => (await import('./postgres.ts')).postgres,
};

/** Opens the documents where they are: they may have moved from the engine that the configuration names. @throws ConfigError, StoreUnavailableError */
export async function openDocuments(opening: DocumentsOpening): Promise<FollowingStore> {
  const { config, buckets, alongWith, log } = opening;
  const first = await openPlace(opening, config.databaseType, 0);
  const open = (type: DatabaseType, since: number) => openPlace(opening, type, since);
  const store = new FollowingStore({ first, open, alongWith, log });
  try {
    await store.open(buckets);
    if (store.place === first) await assertArrived(store);
    return store;
  } catch (error) {
    await store.close();
    const engine = await ENGINES[store.tried]();
    return engine.refuse(config)(error);
  }
}

/** Has what fails while the rest of a start uses them told as what fails while they are opened. @throws ConfigError, or the error */
export async function refuseDocuments(store: FollowingStore, config: Config, error: unknown): Promise<never> {
  if (!(error instanceof StoreUnavailableError)) throw error;
  const engine = await ENGINES[store.tried]();
  return engine.refuse(config)(error);
}

async function openPlace(opening: DocumentsOpening, type: DatabaseType, since: number): Promise<Place> {
  const engine = await ENGINES[type]();
  const opened = await engine.open(opening, since).catch(engine.refuse(opening.config));
  return { type, since, ...opened };
}
