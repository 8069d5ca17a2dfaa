/**
 * When both datacenters keep their objects in the same store, a copy moves no bytes: the file gets a second name.
 *
 * The store counts as the same only if the source names the random identity that we read from our store ourselves. The
 * path of the source's file is derived from the datacenter's name and the UUID, never taken from an answer, and the
 * file there must have the size and the hashes from the manifest. A large one is read when it is in its place, before anybody
 * is given its bytes (`read-later.ts`): the copy itself takes as long as the link.
 *
 * Like a write session, linking takes two steps: first a name that belongs to the attempt, then the image's name, once
 * the intent to place the file is recorded. Removing the first name stops a worker that wakes up late.
 */

import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import { ObjectNotFoundError, SessionGoneError, UnsupportedError } from '#lib/objects/errors.ts';
import type { ObjectInfo, ObjectStore, SessionHashes, WriteSession } from '#lib/objects/object-store.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Transfer } from '../documents/model.ts';
import { byteLinkPath, sessionOf } from '../documents/staging.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { announcedHashes } from './read-later.ts';

/** The bytes under the attempt's own name; undefined if the store is a different one or the file is not there. */
export async function linkedBytes(
  store: ObjectStore,
  source: ImageSource,
  live: Pick<LiveAttempt, 'own' | 'patience'>,
  { signal, isReadLater }: { readonly signal: AbortSignal; readonly isReadLater: boolean },
): Promise<LinkSession | undefined> {
  const { own: transfer } = live;
  const from = await sharedPath(store, source, transfer, live.patience(signal));
  if (from === undefined) return undefined;
  const link = byteLinkPath(transfer, transfer.attempt);
  try {
    if (!(await duplicate(store, from, link))) return undefined;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
  const hashes = isReadLater ? announcedHashes(transfer) : undefined;
  return new LinkSession(store, sessionOf(transfer, transfer.attempt), link, transfer, { signal, hashes });
}

async function sharedPath(
  store: ObjectStore,
  source: ImageSource,
  { image, total }: Transfer,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (source.kind !== 'link' || !store.capabilities.supportsSiblings) return undefined;
  const theirs = await source.storeIdentities(signal);
  if (!theirs.includes(await store.identity())) return undefined;
  const path = store.siblingPath(source.name, imageObjectPath(image, 'file0'));
  return (await store.info(path))?.size === total ? path : undefined;
}

/** A write session for a file whose bytes are all there already. */
export class LinkSession implements WriteSession {
  readonly session: string;
  readonly path: string;
  readonly size: number;
  readonly #store: ObjectStore;
  readonly #link: string;
  readonly #signal: AbortSignal;
  readonly #hashes: SessionHashes | undefined;

  /** @param hashes if the bytes below `link` have been read, or are to be read later */
  constructor(
    store: ObjectStore,
    session: string,
    link: string,
    { image, total }: Transfer,
    { signal, hashes }: { readonly signal: AbortSignal; readonly hashes: SessionHashes | undefined },
  ) {
    this.session = session;
    this.path = imageObjectPath(image, 'file0');
    this.size = total;
    this.#store = store;
    this.#link = link;
    this.#signal = signal;
    this.#hashes = hashes;
  }

  /** Whether its hashes are those that the bytes are to have, and not known by reading them. */
  get isUnread(): boolean {
    return this.#hashes !== undefined && this.#hashes.md5 === undefined;
  }

  append(): Promise<void> {
    return Promise.reject(new Error(`the bytes of ${this.session} are linked; nothing can be added to them`));
  }

  async flush(): Promise<number> {
    return this.size;
  }

  async hashes(): Promise<SessionHashes> {
    return this.#hashes ?? this.#store.hash(this.#link, this.#signal);
  }

  async commit(): Promise<ObjectInfo> {
    try {
      if (!(await duplicate(this.#store, this.#link, this.path))) {
        throw new UnsupportedError('supportsLink', `${this.#link} takes no further name`);
      }
    } catch (error) {
      if (error instanceof ObjectNotFoundError) throw new SessionGoneError(this.session, { cause: error });
      throw error;
    }
    await this.#store.remove(this.#link);
    const info = await this.#store.info(this.path);
    if (!info) throw new ObjectNotFoundError(this.path);
    return info;
  }

  close(): Promise<void> {
    return this.#store.remove(this.#link);
  }

  discard(): Promise<void> {
    return this.#store.remove(this.#link);
  }
}
