/** The object stores of a service, and the one policy that decides which of them something goes to. */
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { type Config, STORAGE_TYPES } from './config/config.ts';

/** The store that a request asks for. */
export interface StorageWish {
  /** The query parameter; absent: no preference. */
  readonly storage: unknown;
  /** Who asks; absent: an operator. */
  readonly account: string | undefined;
}

function isUnset(storage: unknown): boolean {
  return storage === undefined || storage === '';
}

/** The store on the machine's own disk. All others are shared. */
const LOCAL = 'local';

/** The stores by name, as in `files[].stor`, in the order of `storageTypes`. */
export class Storages implements Iterable<ObjectStore> {
  /** The first shared store, or the local one: takes whatever nobody placed elsewhere, and what belongs to no image. */
  readonly preferred: ObjectStore;
  readonly #byName: ReadonlyMap<string, ObjectStore>;
  readonly #config: Pick<Config, 'adminUuid'>;

  /** @param stores at least one */
  constructor(config: Pick<Config, 'adminUuid'>, ...stores: readonly ObjectStore[]) {
    const preferred = stores.find(({ name }) => name !== LOCAL) ?? stores[0];
    if (!preferred) throw new Error('a service needs an object store');
    this.preferred = preferred;
    this.#byName = new Map(stores.map((store) => [store.name, store]));
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

  /**
   * Where an owner's objects go if nobody chose a store. The admin's own stay local, so that they are there when the
   * shared store is not; but where no local store is configured, nothing new may lie on one machine's disk.
   */
  ofOwner(owner: string | undefined): ObjectStore {
    const isAdmin = owner !== undefined && owner === this.#config.adminUuid;
    return (isAdmin ? this.find(LOCAL) : undefined) ?? this.preferred;
  }

  /**
   * Where an upload goes: to the store that the operator asked for, else by its owner. A store that exists but is not
   * configured here is answered as IMGAPI always has: by the local one. @throws 422
   */
  forUpload(owner: string | undefined, { storage, account }: StorageWish): ObjectStore {
    if (isUnset(storage)) return this.ofOwner(owner);
    if (account !== undefined) throw invalidParameter('storage', 'only operators may choose the storage', 'NotAllowed');
    const found = typeof storage === 'string' ? this.find(storage) : undefined;
    if (found) return found;
    if (STORAGE_TYPES.some((type) => type === storage)) return this.find(LOCAL) ?? this.preferred;
    const stores = this.names.join(', ');
    throw invalidParameter('storage', `storage is ${JSON.stringify(storage)}; the stores here are: ${stores}`);
  }

  /** An icon is kept where the file is, unless the operator asks for another store. @throws what `forUpload` does */
  forIcon({ files = [], owner }: Pick<ImageRecord, 'files' | 'owner'>, wish: StorageWish): ObjectStore {
    const [file] = files;
    return isUnset(wish.storage) && file ? this.named(file.stor) : this.forUpload(owner, wish);
  }
}
