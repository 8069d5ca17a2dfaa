/** Opens the object stores that the configuration names. One that is down keeps the service from none of the others. */
import { join } from 'node:path';
import { AwaitedStore } from '#lib/objects/awaited-store.ts';
import { InsufficientStorageError, ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { within } from '#lib/runtime/within.ts';
import type { StorageType } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { refusal } from './data-folder.ts';
import { openObjects } from './engines/objects.ts';
import type { ObjectsOpening } from './engines/opening.ts';
import { assertKnownStore } from './engines/store-identities.ts';

export type OpenObjects = typeof openObjects;

/** How long the start waits for a store before it goes on without. */
const PATIENCE_MS = 10_000;
const RETRY = { min: 1000, max: 30_000 };

/**
 * Yields each store once it can be used, or once it is clear that it has to be waited for; the caller closes it. Requests that need
 * such a store are answered with 503, and it is opened in the background.
 * @throws ConfigError
 */
export async function openStorage(
  type: StorageType,
  opening: ObjectsOpening,
  open: OpenObjects = openObjects,
): Promise<ObjectStore> {
  const attempt = async (): Promise<ObjectStore> => {
    const store = await open(type, opening);
    try {
      await assertKnownStore(opening.documents, store);
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  const { log } = opening;
  const first = attempt();
  try {
    const opened = await within(PATIENCE_MS, first, () => undefined);
    if (opened) return opened;
    log.warn({ store: type }, 'an object store does not answer; the service starts without it');
  } catch (error) {
    if (error instanceof InsufficientStorageError) refuseForRoom(type, opening, error);
    if (!(error instanceof ObjectStoreUnavailableError)) throw error;
  }
  let problem: string | undefined;
  const options = {
    name: type,
    open: attempt,
    retry: RETRY,
    onOpened: () => log.info({ store: type }, 'the object store can be used'),
    onFailed(error: unknown) {
      const { message } = error as Error;
      if (message !== problem) log.error({ err: error, store: type }, 'an object store cannot be used; trying again');
      problem = message;
    },
  };
  return new AwaitedStore(options, first);
}

/** A store that is new to the documents gets a few bytes before anything else. */
function refuseForRoom(type: StorageType, { config }: ObjectsOpening, error: InsufficientStorageError): never {
  if (type === 'local') return refusal(`${join(config.dataDir, 'storage')} cannot be used`)(error.cause ?? error);
  throw new ConfigError('storageTypes', [`"${type}" cannot be used: it has no room (${error.message})`], {
    cause: error,
  });
}
