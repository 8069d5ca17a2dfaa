/** The object stores of a service, and the one policy that decides which of them a file goes to. */
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Config } from './config/config.ts';

/** The store that a request asks for. */
export interface StorageWish {
  /** The query parameter; absent: no preference. */
  readonly storage: unknown;
  /** Who asks; absent: an operator. */
  readonly account: string | undefined;
}

/** The stores by name, as in `files[].stor`, in the order of the configuration, local files first. */
export class Storages implements Iterable<ObjectStore> {
  /** Always there. Holds what belongs to the service and to no image, such as the archive of manifests. */
  readonly local: ObjectStore;
  readonly #byName: ReadonlyMap<string, ObjectStore>;
  /** Takes everything for which nothing else decides. */
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

  /** Undefined if this process has no such store. */
  find(name: string): ObjectStore | undefined {
    return this.#byName.get(name);
  }

  /** The store that a record's `stor` names. @throws 503 StorageIsDown if this process has no such store */
  named(name: string): ObjectStore {
    const storage = this.#byName.get(name);
    if (storage) return storage;
    throw new ApiError('StorageIsDown', `the object store "${name}" is not configured here`);
  }

  /** Where a file of that owner goes if nobody chose a store: the admin's own images stay local. */
  ofOwner(owner: string | undefined): ObjectStore {
    return owner !== undefined && owner === this.#config.adminUuid ? this.local : this.#preferred;
  }

  /** Where an upload goes: where the operator asked, else by its owner. @throws 422 */
  forUpload(owner: string | undefined, { storage, account }: StorageWish): ObjectStore {
    if (storage === undefined) return this.ofOwner(owner);
    if (account !== undefined) throw invalidParameter('storage', 'only operators may choose the storage', 'NotAllowed');
    const found = typeof storage === 'string' ? this.find(storage) : undefined;
    if (found) return found;
    const stores = this.names.join(', ');
    throw invalidParameter('storage', `storage is ${JSON.stringify(storage)}; the stores here are: ${stores}`);
  }

  /** An icon is kept where the file is. */
  forIcon(files: readonly { readonly stor: string }[] = []): ObjectStore {
    const [file] = files;
    return file ? this.named(file.stor) : this.local;
  }
}
