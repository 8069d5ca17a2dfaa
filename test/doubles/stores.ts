/** Object stores for a service in a test's process: the real local one, and folders in place of the shared ones. */
import { guardStore } from '#lib/objects/guarded-store.ts';
import { openLocalBackend } from '#lib/objects/local/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { StorageType } from '#src/service/config/config.ts';
import { openObjects } from '#src/service/engines/objects.ts';
import type { OpenObjects } from '#src/service/open-storages.ts';

export interface Stores {
  /** In place of `storageTypes`. */
  readonly types: readonly StorageType[];
  readonly open: OpenObjects;
}

/** @param folder of the shared stores @param change of what each store is, once it is open */
export function storesIn(
  folder: string,
  types: readonly StorageType[],
  change: (store: ObjectStore) => ObjectStore = (store) => store,
): Stores {
  return {
    types,
    async open(type, opening) {
      if (type === 'local') return change(await openObjects(type, opening));
      return change(
        guardStore(await openLocalBackend({ root: `${folder}/${type}`, name: type, clock: opening.documents })),
      );
    },
  };
}
