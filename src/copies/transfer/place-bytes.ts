/** Puts the verified file in its place and into the placeholder's record, and copies the image's icon. */

import { ImgapiError } from '#lib/client/errors.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord, ImageRecord } from '#lib/manifest/record.ts';
import { TooLargeError } from '#lib/objects/errors.ts';
import type { ObjectStore, SessionHashes, WriteSession } from '#lib/objects/object-store.ts';
import { LinkEndedError, SourceInvalidError } from '../../datacenters/peers/errors.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { dropIcon, placeFile } from '../../images/files/file-placement.ts';
import { recordedMd5 } from '../../images/files/late-md5.ts';
import { loadRaw } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { failureFor } from '../documents/failure-of.ts';
import type { Transfer } from '../documents/model.ts';
import { iconSessionOf, sessionOf } from '../documents/staging.ts';
import { fileRecord } from '../orders/placeholder.ts';
import { AttemptLostError } from './attempt.ts';
import type { LiveAttempt } from './live-attempt.ts';

export interface ReceivedBytes {
  readonly session: WriteSession;
  readonly hashes: SessionHashes;
  /** See `read-later.ts`. */
  readonly isUnread: boolean | undefined;
}

export async function placeBytes(
  service: Service,
  live: LiveAttempt,
  { session, hashes, isUnread = false }: ReceivedBytes,
): Promise<void> {
  const { own } = live;
  live.signal.throwIfAborted();
  await placeFile(service, {
    uuid: own.image,
    session: keptOnFailure(session),
    kind: 'file',
    isUnread,
    guard: (record) => assertAwaited(record, own),
    file: fileRecord(
      { ...own, size: own.total },
      {
        ...recordedMd5(hashes),
        sha256: hashes.sha256,
        mtime: new Date(service.store.now()).toISOString(),
        stor: own.stor,
      },
    ),
  });
}

/** Only the latest attempt of a copy that is still under way may place anything. @throws AttemptLostError */
function assertAwaited({ copy }: ImageRecord, own: Transfer): void {
  if (copy?.state === 'live' && copy.session === sessionOf(own, own.attempt)) return;
  throw new AttemptLostError(own);
}

/** Keeps the received bytes when the document store is briefly unavailable. */
function keptOnFailure(session: WriteSession): WriteSession {
  return {
    session: session.session,
    path: session.path,
    get size() {
      return session.size;
    },
    append: (source, options) => session.append(source, options),
    flush: () => session.flush(),
    hashes: () => session.hashes(),
    commit: () => session.commit(),
    close: () => session.close(),
    discard: () => session.close(),
  };
}

/** Whether this order brought it: what an earlier one left here may have been replaced at the source, or removed. */
export function isBroughtBy({ created_at }: Transfer, { mtime }: Pick<FileRecord, 'mtime'>): boolean {
  return Date.parse(mtime ?? '') >= Date.parse(created_at);
}

/**
 * Copies the icon, in place of one of an earlier order. An image whose icon is gone or damaged at the source, or not allowed here, is copied without it.
 * @throws AttemptLostError, and what came in the way: it may come when it is fetched again
 */
export async function bringIcon(
  service: Service,
  source: () => Promise<ImageSource>,
  live: LiveAttempt,
): Promise<void> {
  const { own } = live;
  const here = (await loadRaw(service, own.image))?.value.icon;
  if (here && isBroughtBy(own, here)) return;
  try {
    if (own.icon && (await fetchIcon(service, await source(), live, service.storages.named(own.stor)))) return;
  } catch (error) {
    if (!isUnusable(error)) throw error;
    service.log.warn({ err: error, image: own.image }, 'the icon was not copied');
    live.note({ note: `copied without its icon: ${failureFor(own.account, error).message}` });
  }
  if (here) await dropIcon(service, own.image, (record) => assertAwaited(record, own));
}

/** Whether the source has no icon that could be had. */
function isUnusable(error: unknown): boolean {
  if (error instanceof ImgapiError) return error.code === 'FileDamaged';
  if (error instanceof LinkEndedError) return false;
  return error instanceof SourceInvalidError || error instanceof TooLargeError;
}

/** False if the source has none. */
async function fetchIcon(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  store: ObjectStore,
): Promise<boolean> {
  const { own } = live;
  const signal = live.patience(live.signal);
  const icon = await source.getIcon(own.image, own.account, signal);
  if (!icon) return false;
  const session = await store.open({
    path: imageObjectPath(own.image, 'icon'),
    session: iconSessionOf(own, own.attempt),
    limit: service.config.limits.iconBytes,
    once: true,
    signal,
  });
  try {
    await session.append(icon.stream, { signal });
    const hashes = await session.hashes();
    const file: IconRecord = {
      sha1: hashes.sha1,
      size: session.size,
      contentType: icon.contentType,
      ...recordedMd5(hashes),
      mtime: new Date(service.store.now()).toISOString(),
      stor: own.stor,
    };
    await placeFile(service, {
      uuid: own.image,
      session,
      file,
      kind: 'icon',
      guard: (record) => assertAwaited(record, own),
    });
    return true;
  } finally {
    icon.stream.destroy();
    await session.discard();
  }
}
