/**
 * Which object store the documents mean by each name. A process whose "local" is another folder, or whose "s3" is another
 * bucket, would take every image for lost and what it finds for rubbish. So a store is compared with what the documents
 * know before anybody uses it.
 */
import type { Bucket, Store } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { ConfigError } from '../config/config-error.ts';

interface KnownStore {
  readonly name: string;
  readonly identity: string;
  /** ISO date of the first use. */
  readonly since: string;
}

/** Keyed by the store's name. */
export const STORES: Bucket<KnownStore> = { name: 'imgapi_stores', version: 1, index: {} };

/** On first use, notes the store. @throws ConfigError if the documents know another one by this name */
export async function assertKnownStore(documents: Store, store: Pick<ObjectStore, 'name' | 'identity'>): Promise<void> {
  const { name } = store;
  const own = await store.identity();
  const known = await retryOnConflict(async () => {
    const found = await documents.get(STORES, name);
    if (found) return found.value;
    const value: KnownStore = { name, identity: own, since: new Date(documents.now()).toISOString() };
    await documents.batch([{ op: 'put', bucket: STORES, key: name, value, ifEtag: null }]);
    return value;
  });
  if (known.identity === own) return;
  throw new ConfigError('storageTypes', [
    `the documents know another store as "${name}" (identity ${known.identity}, since ${known.since}) than the one ` +
      `that is configured here (identity ${own}). ${REMEDIES[name] ?? REMEDY}`,
  ]);
}

const REMEDY = 'Configure the same bucket, account and folder as the other processes';
const REMEDIES: Readonly<Record<string, string>> = {
  local:
    'Processes on several machines share no local files: leave "local" out of storageTypes, or give them one dataDir. ' +
    'If its files were moved here, bring the file storage/identity along',
};
