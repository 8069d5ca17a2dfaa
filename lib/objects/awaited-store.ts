/** A store that cannot be opened yet, for a service that has other work to do meanwhile. */
import { pause } from '../runtime/timers.ts';
import { capabilities } from './capabilities.ts';
import { ObjectStoreUnavailableError } from './errors.ts';
import type {
  AdoptOptions,
  ExportOptions,
  ObjectStore,
  OpenOptions,
  PiecesOptions,
  ReadOptions,
  SessionInfo,
} from './object-store.ts';

export interface AwaitedStoreOptions {
  readonly name: string;
  /** Opens the store, and checks whatever has to be right before anybody may use it. */
  readonly open: () => Promise<ObjectStore>;
  /** Milliseconds after which to try again: doubled each time, from `min` to `max`. */
  readonly retry: { readonly min: number; readonly max: number };
  readonly onOpened: () => void;
  readonly onFailed: (error: unknown) => void;
}

const NOT_YET = 'cannot be reached yet';
const NONE = capabilities({
  supportsLink: NOT_YET,
  supportsServerCopy: NOT_YET,
  supportsSignedUrl: NOT_YET,
  supportsSiblings: NOT_YET,
  supportsTakeOver: NOT_YET,
  supportsExport: NOT_YET,
  supportsAdoption: NOT_YET,
  supportsPieces: NOT_YET,
});

/**
 * Tries in the background until the store opens. Until then every call is refused with an
 * {@link ObjectStoreUnavailableError}, and no capability is claimed.
 */
export class AwaitedStore implements ObjectStore {
  readonly name: string;
  readonly #options: AwaitedStoreOptions;
  readonly #stop = new AbortController();
  readonly #trying: Promise<void>;
  #store: ObjectStore | undefined;
  #failure: unknown;

  /** @param first the attempt under way; it is not made twice */
  constructor(options: AwaitedStoreOptions, first: Promise<ObjectStore>) {
    this.name = options.name;
    this.#options = options;
    this.#trying = this.#try(first);
  }

  async #try(first: Promise<ObjectStore>): Promise<void> {
    const { open, retry, onOpened, onFailed } = this.#options;
    const { signal } = this.#stop;
    let attempt = first;
    for (let wait = retry.min; !signal.aborted; wait = Math.min(wait * 2, retry.max)) {
      try {
        this.#store = await attempt;
        onOpened();
        return;
      } catch (error) {
        this.#failure = error;
        onFailed(error);
      }
      await pause(wait, signal).catch(() => undefined);
      if (!signal.aborted) attempt = open();
    }
  }

  /** @throws ObjectStoreUnavailableError while it is not open */
  get #opened(): ObjectStore {
    if (this.#store) return this.#store;
    const reason = this.#failure instanceof Error ? `: ${this.#failure.message}` : '';
    const message = `the object store "${this.name}" ${NOT_YET}${reason}`;
    throw new ObjectStoreUnavailableError(message, { cause: this.#failure });
  }

  get capabilities() {
    return this.#store?.capabilities ?? NONE;
  }

  async identity() {
    return this.#opened.identity();
  }

  async info(path: string) {
    return this.#opened.info(path);
  }

  async read(path: string, options?: ReadOptions): ReturnType<ObjectStore['read']> {
    return this.#opened.read(path, options);
  }

  async hash(path: string, signal?: AbortSignal) {
    return this.#opened.hash(path, signal);
  }

  async md5(path: string, signal?: AbortSignal) {
    return this.#opened.md5(path, signal);
  }

  async open(options: OpenOptions) {
    return this.#opened.open(options);
  }

  async adopt(options: AdoptOptions) {
    return this.#opened.adopt(options);
  }

  async openPieces(options: PiecesOptions) {
    return this.#opened.openPieces(options);
  }

  async discard(session: string) {
    return this.#opened.discard(session);
  }

  async sessions() {
    return this.#opened.sessions();
  }

  async leftovers(age?: number) {
    return this.#opened.leftovers(age);
  }

  async removeLeftover(leftover: SessionInfo) {
    return this.#opened.removeLeftover(leftover);
  }

  async link(from: string, to: string) {
    return this.#opened.link(from, to);
  }

  async serverCopy(from: string, to: string) {
    return this.#opened.serverCopy(from, to);
  }

  siblingPath(root: string, path: string) {
    return this.#opened.siblingPath(root, path);
  }

  async list(path: string) {
    return this.#opened.list(path);
  }

  async remove(path: string) {
    return this.#opened.remove(path);
  }

  async removeTree(path: string) {
    return this.#opened.removeTree(path);
  }

  async free() {
    return this.#opened.free();
  }

  async signUrl(path: string, expires: Date) {
    return this.#opened.signUrl(path, expires);
  }

  async isForeignDirectory(path: string) {
    return this.#opened.isForeignDirectory(path);
  }

  async exportTo(path: string, body: () => AsyncIterable<Uint8Array>, options: ExportOptions) {
    return this.#opened.exportTo(path, body, options);
  }

  async close() {
    this.#stop.abort();
    await this.#trying;
    await this.#store?.close();
  }
}
