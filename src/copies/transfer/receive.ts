/** Gets the bytes of one file into staging: opens the staging or takes it over, appends, and checks the hashes. */

import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { Hashes, ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Service } from '../../service/service.ts';
import { CopyError } from '../documents/failures.ts';
import type { Transfer } from '../documents/model.ts';
import { sessionOf } from '../documents/staging.ts';
import { openBytes } from './bytes.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { linkedBytes } from './same-store.ts';

/** The source can only send files from the first byte, so the staged bytes must be dropped. Not a failure. */
export class NoResumeError extends Error {
  override readonly name = 'NoResumeError';
}

/** The attempt's staging: linked bytes, or a session that starts with the bytes of earlier attempts, hashed again. */
export async function openStaging(
  service: Service,
  store: ObjectStore,
  source: ImageSource,
  live: LiveAttempt,
): Promise<WriteSession> {
  const { own, signal } = live;
  const linked = await tryLink(service, store, source, live);
  if (linked) {
    live.note({ via: 'link' });
    return linked;
  }
  const session = await store.open({
    path: imageObjectPath(own.image, 'file0'),
    session: sessionOf(own, own.attempt),
    expect: own.total,
    limit: own.total,
    signal,
    ...(own.staged !== undefined &&
      store.capabilities.supportsTakeOver && { takeOver: { session: own.staged, upTo: own.total } }),
  });
  live.note({ staged: session.session });
  live.reached(session.size);
  // Once this is recorded, the next attempt takes over from this staging, and the earlier one may be removed.
  await live.beat();
  if (own.staged !== undefined && !signal.aborted) await store.discard(own.staged);
  return session;
}

async function tryLink(
  service: Service,
  store: ObjectStore,
  source: ImageSource,
  live: LiveAttempt,
): Promise<WriteSession | undefined> {
  const { own, signal } = live;
  // A link would show the same file in the source's store. If that had the wrong hashes once, fetch the bytes instead.
  if (own.retry.bad_hashes > 0) return undefined;
  try {
    return await linkedBytes(store, source, live, signal);
  } catch (error) {
    signal.throwIfAborted();
    service.log.info({ err: error, image: own.image }, 'the bytes could not be linked; they are transferred');
    return undefined;
  }
}

/** Appends what is missing. @throws NoResumeError; what arrived before a failure stays in the session */
export async function receiveRest(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  session: WriteSession,
  signal: AbortSignal,
): Promise<void> {
  const { total, image } = live.own;
  const start = session.size;
  if (start === total) return;
  const bytes = await openBytes(source, live, start, signal);
  if (bytes.status === 200 && start > 0) {
    bytes.stream.destroy();
    throw new NoResumeError(`${source.name} sends files only from the first byte; ${start} bytes are fetched again`);
  }
  live.note({ via: bytes.via });
  try {
    const limited = live.throttle.limit(counted(service, live, bytes.stream), signal);
    await session.append(limited, { signal, onProgress: (size) => live.reached(size), disposable: true });
  } finally {
    bytes.stream.destroy();
  }
  if (session.size < total) {
    const message = `${source.name} ended the file of image "${image}" after ${session.size} of ${total} bytes`;
    throw new CopyError('SourceUnreachable', message);
  }
}

async function* counted(
  service: Service,
  { pace }: LiveAttempt,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    pace.received(chunk.length);
    yield chunk;
    await service.faults.reach('copy:receiving');
  }
}

/** @throws CopyError WrongBytes */
export async function verifiedHashes(transfer: Transfer, session: WriteSession): Promise<Hashes> {
  const hashes = await session.hashes();
  const { sha1, sha256, total, image } = transfer;
  const wrong =
    session.size !== total
      ? `${session.size} bytes instead of ${total}`
      : hashes.sha1 !== sha1
        ? `sha1 ${hashes.sha1} instead of ${sha1}`
        : sha256 !== undefined && hashes.sha256 !== sha256
          ? `sha256 ${hashes.sha256} instead of ${sha256}`
          : undefined;
  if (wrong === undefined) return hashes;
  throw new CopyError('WrongBytes', `the file received for image "${image}" has ${wrong}`);
}
