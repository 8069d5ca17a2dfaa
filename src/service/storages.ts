/** The object stores of a service, and the one policy for which of them takes what. */

import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Config } from './config/config.ts';

/** What an account or an operator asks for, as it stands in a request. */
export interface StorageWish {
  /** Of the query; absent: no wish. */
  readonly storage: unknown;
  /** Who asks; absent: an operator. */
  readonly account: string | undefined;
}

/** The stores by the name that `files[].stor` holds, in the order of their configuration, local files first. */
export class Storages implements Iterable<ObjectStore> {
  /** Always there. What belongs to this service and to no image, as the archive of manifests, lies here. */
  readonly local: ObjectStore;
  readonly #byName: ReadonlyMap<string, ObjectStore>;
  /** Takes whatever nothing else decides. */
  readonly #preferred: ObjectStore;
  readonly #config: Pick<Config, 'adminUuid'>;

  /** @param shared the stores beside the local one; the first of them is preferred */
  constructor(config: Pick<Config, 'adminUuid'>, local: ObjectStore, ...shared: readonly ObjectStore[]) {
    this.local = local;
    this.#byName = new Map([local, ...shared].map((store) => [store.name, store]));
    this.#preferred = shared[0] ?? local;
    this.#config = config;
  }

  [Symbol.iterator](): Iterator<ObjectStore> {
    return this.#byName.values();
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Undefined when this process has none such. */
  find(name: string): ObjectStore | undefined {
    return this.#byName.get(name);
  }

  /** The store that a record's `stor` means. @throws 503 StorageIsDown when this process has none such */
  named(name: string): ObjectStore {
    const storage = this.#byName.get(name);
    if (storage) return storage;
    throw new ApiError('StorageIsDown', `the object store "${name}" is not configured here`);
  }

  /** Where a file of that owner goes that nobody chose a store for: the admin's own images stay local. */
  ofOwner(owner: string | undefined): ObjectStore {
    return owner !== undefined && owner === this.#config.adminUuid ? this.local : this.#preferred;
  }

  /** Where an upload goes: as the operator asked, else by its owner. @throws 422 */
  forUpload(owner: string | undefined, { storage, account }: StorageWish): ObjectStore {
    if (storage === undefined) return this.ofOwner(owner);
    if (account !== undefined) throw invalidParameter('storage', 'storage is chosen by operators only', 'NotAllowed');
    const found = typeof storage === 'string' ? this.find(storage) : undefined;
    if (found) return found;
    throw invalidParameter('storage', `storage is ${JSON.stringify(storage)}; there is ${this.names.join(', ')}`);
  }

  /** An icon stays with the file, wherever that is. */
  forIcon(files: readonly { readonly stor: string }[] = []): ObjectStore {
    const [file] = files;
    return file ? this.named(file.stor) : this.local;
  }
}
