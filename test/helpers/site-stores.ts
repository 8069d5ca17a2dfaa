/** The stores of a datacenter as its processes open them, for a test to look into whatever becomes of the processes. */
import { join } from 'node:path';
import bunyan from 'bunyan';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { openObjects } from '#src/service/engines/objects.ts';
import type { Site } from './cloud.ts';

const log = bunyan.createLogger({ name: 'test', level: 'fatal' });

/** The caller closes it. */
export async function openDocumentsOf({ ground, dataDir }: Site, buckets: readonly Bucket[]): Promise<Store> {
  const store = ground
    ? await ground.documents.open()
    : await openSqliteStore({ path: join(dataDir, 'imgapi.db'), log });
  try {
    await store.open(buckets);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Those of the paths of the manifest archive at which there is nothing. @param local what the store on the disk has */
export async function missingInArchive(
  { server }: Site,
  documents: Store,
  paths: readonly string[],
  local: readonly string[],
): Promise<string[]> {
  const { config } = await loadConfig(server.configFile);
  // As `Storages` prefers it.
  const type = config.storageTypes.find((name) => name !== 'local');
  if (type === undefined) return paths.filter((path) => !local.includes(path));
  const store = await openObjects(type, { config, documents, log, observe: undefined });
  try {
    const missing: string[] = [];
    for (const path of paths) if (!(await store.info(path))) missing.push(path);
    return missing;
  } finally {
    await store.close();
  }
}
