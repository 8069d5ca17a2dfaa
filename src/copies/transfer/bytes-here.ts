/**
 * Bytes that are here already, in a file of another image: they are given another name, or copied by the store, and not
 * fetched.
 *
 * Nobody may learn by a copy what a stranger has here. So only files count that the account of the image may read here
 * (for an operator's copy that is the owner, who sees it too), and to look for them takes the same time whatever others have.
 * What only another datacenter ordered takes bytes only of what the account has from there: to know a hash is not to have a file.
 * The record says which files these are; what is placed is verified by reading it, as any bytes are, and a large one when it is
 * in its place (`read-later.ts`).
 */
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { Hashes, ObjectStore, SessionHashes } from '#lib/objects/object-store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { type FileHere, filesWithHash } from '../../images/files/file-hashes.ts';
import { loadRaw } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import type { Transfer } from '../documents/model.ts';
import { byteLinkPath, sessionOf } from '../documents/staging.ts';
import { isOrderedElsewhere } from '../orders/foreign-shares.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { announcedHashes } from './read-later.ts';
import { LinkSession } from './same-store.ts';

/** Milliseconds, longer than to look through as many files of others as are looked at. */
const LOOKING_MS = 50;
/** Of files whose bytes are not as their record says. */
const MOST_TRIED = 3;

/** The bytes under the attempt's own name, verified; undefined if they are not here. */
export async function bytesHere(
  service: Service,
  store: ObjectStore,
  { own, signal }: Pick<LiveAttempt, 'own' | 'signal'>,
  isReadLater: boolean,
): Promise<LinkSession | undefined> {
  const { supportsLink, supportsServerCopy } = store.capabilities;
  if (!supportsLink && !supportsServerCopy) return undefined;
  const [found] = await Promise.all([filesHere(service, own), pause(LOOKING_MS, signal)]);
  for (const file of found.slice(0, MOST_TRIED)) {
    const session = await sameBytes(service, store, own, file, { signal, isReadLater });
    if (session) return session;
  }
  return undefined;
}

async function filesHere(service: Service, own: Transfer): Promise<FileHere[]> {
  const owner = (await loadRaw(service, own.image))?.value.owner;
  if (own.sha256 === undefined || owner === undefined) return [];
  const files = await filesWithHash(service, own.sha256, owner);
  const isForeign = await isOrderedElsewhere(service, own);
  const isFromThere = ({ owner: of, copied_from: from }: ImageRecord) =>
    of === owner && from?.datacenter === own.source;
  return files.filter(
    ({ file, image }) =>
      file.stor === own.stor &&
      file.size === own.total &&
      file.sha1 === own.sha1 &&
      (!isForeign || isFromThere(image.value)),
  );
}

async function sameBytes(
  service: Service,
  store: ObjectStore,
  own: Transfer,
  { image, index }: FileHere,
  { signal, isReadLater }: { readonly signal: AbortSignal; readonly isReadLater: boolean },
): Promise<LinkSession | undefined> {
  const link = byteLinkPath(own, own.attempt);
  if (!(await isDuplicated(store, imageObjectPath(image.key, `file${index}`), link))) return undefined;
  const linked = (hashes: SessionHashes): LinkSession =>
    new LinkSession(store, sessionOf(own, own.attempt), link, own, { signal, hashes });
  const announced = isReadLater ? announcedHashes(own) : undefined;
  if (announced && (await store.info(link))?.size === own.total) return linked(announced);
  const hashes = await store.hash(link, signal);
  if (isRight(own, hashes)) return linked(hashes);
  service.log.warn({ image: image.key, index }, 'a file is not as its record says; its bytes were not used for a copy');
  await store.remove(link);
  return undefined;
}

async function isDuplicated(store: ObjectStore, from: string, to: string): Promise<boolean> {
  try {
    return await duplicate(store, from, to);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return false;
    throw error;
  }
}

function isRight({ sha1, sha256, total }: Transfer, hashes: Hashes & { readonly size: number }): boolean {
  return hashes.size === total && hashes.sha1 === sha1 && hashes.sha256 === sha256;
}
