/** The engines of the document store by `databaseType`. An engine's library is loaded only if the configuration names it. */
import type { Store } from '#lib/documents/store.ts';
import type { DatabaseType } from '../config/config.ts';
import type { DocumentEngine, DocumentsOpening } from './opening.ts';

const ENGINES: Readonly<Record<DatabaseType, () => Promise<DocumentEngine>>> = {
  local: async () => (await import('./sqlite.ts')).sqlite,
  moray: async () => (await import('./moray.ts')).moray,
  postgres: async () => (await import('./postgres.ts')).postgres,
};

/** @throws ConfigError, StoreUnavailableError */
export async function openDocuments(opening: DocumentsOpening): Promise<Store> {
  const { config, buckets } = opening;
  const engine = await ENGINES[config.databaseType]();
  const refuse = engine.refuse(config);
  const store = await engine.open(opening).catch(refuse);
  try {
    await store.open(buckets);
    return store;
  } catch (error) {
    await store.close();
    return refuse(error);
  }
}
