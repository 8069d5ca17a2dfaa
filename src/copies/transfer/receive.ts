/** Gets the bytes of one file into staging: opens the staging or takes it over, appends, and checks the hashes. */

import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import { orClosed } from '#lib/objects/or-closed.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { isMd5Late } from '../../images/files/late-md5.ts';
import type { Service } from '../../service/service.ts';
import { sessionOf } from '../documents/staging.ts';
import { bytesHere } from './bytes-here.ts';
import { Holders } from './holders.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { NoPiecesError, PieceHashes } from './piece-hashes.ts';
import { isReadLater } from './read-later.ts';
import { receiveInOrder } from './receive-in-order.ts';
import { receiveStream } from './receive-stream.ts';
import { ReceivedFile } from './received-file.ts';
import { type LinkSession, linkedBytes } from './same-store.ts';
import { Suppliers } from './suppliers.ts';

/** Where the bytes of an attempt go. */
export interface Staging {
  readonly session: WriteSession;
  /** Set if they come as pieces, in any order. */
  readonly pieces?: ReceivedFile;
  /** Set if they come as pieces, which the session takes in order. */
  readonly ordered?: { readonly hashes: PieceHashes; readonly suppliers: Suppliers };
  /** Set if pieces lie beyond the bytes that count. */
  readonly hasGaps?: true;
  /** The bytes came by a link, and are read when they are in their place. */
  readonly isUnread?: boolean;
}

/** The attempt's staging: linked bytes, or a session that starts with the bytes of earlier attempts, hashed again. */
export async function openStaging(
  service: Service,
  store: ObjectStore,
  source: ImageSource,
  live: LiveAttempt,
): Promise<Staging> {
  const later = await isReadLater(service, live.own);
  const here = await unlessFailed(service, live, () => bytesHere(service, store, live, later));
  const linked = here ?? (await tryLink(service, store, source, live, later));
  if (linked) {
    const via = here ? 'here' : 'link';
    live.note({ via });
    live.countBytes(via, linked.size);
    return { session: linked, isUnread: linked.isUnread };
  }
  return (await openPieces(service, store, source, live)) ?? { session: await openStream(service, store, live) };
}

async function openStream(service: Service, store: ObjectStore, live: LiveAttempt): Promise<WriteSession> {
  const { own, signal } = live;
  const session = await store.open({
    path: imageObjectPath(own.image, 'file0'),
    session: sessionOf(own, own.attempt),
    expect: own.total,
    limit: own.total,
    lateMd5: isMd5Late(service, own.total),
    signal,
    ...(own.staged !== undefined &&
      store.capabilities.supportsTakeOver && {
        takeOver: { session: own.staged, upTo: Math.min(own.solid ?? own.total, own.total) },
      }),
  });
  live.note({ staged: session.session, solid: own.total });
  live.reached(session.size);
  await orClosed(session, () => recordStaging(store, own.staged, live));
  return session;
}

/** Files that are not much larger than a few pieces come as fast over one connection. */
const FEWEST_PIECES = 4;

/** Undefined if the file is small, or if one of both sides cannot do it. */
async function openPieces(
  service: Service,
  store: ObjectStore,
  source: ImageSource,
  live: LiveAttempt,
): Promise<Staging | undefined> {
  const { own, signal } = live;
  // If pieces led to a wrong file once, the list of their hashes may be wrong: it is fetched as one stream then. So it is if the
  // source refused a range: one that gives some and refuses others would have what it gave fetched again and again. And so it is
  // if the list could not be had again and again.
  const { bad_hashes, no_ranges = false, no_pieces = false } = own.retry;
  const isWorthIt = own.total > FEWEST_PIECES * PIECE_BYTES && bad_hashes === 0 && !no_ranges && !no_pieces;
  if (!isWorthIt || live.connections === 1) return undefined;
  const holders = new Holders(service, source, live);
  const hashes = await PieceHashes.of({ source, holders }, live);
  if (!hashes) return undefined;
  const { staged } = own;
  if (!store.capabilities.supportsPieces) {
    const session = await openStream(service, store, live);
    return { session, ordered: { hashes, suppliers: new Suppliers(service, source, live, holders) } };
  }
  const session = await store.openPieces({
    path: imageObjectPath(own.image, 'file0'),
    session: sessionOf(own, own.attempt),
    size: own.total,
    lateMd5: isMd5Late(service, own.total),
    signal,
    ...(staged !== undefined && { earlier: { session: staged, isOver: own.is_writer_over ?? false } }),
  });
  live.note({ staged: session.session, solid: 0 });
  live.reached(Math.min(own.bytes, session.staged));
  await orClosed(session, () => recordStaging(store, staged, live));
  const suppliers = new Suppliers(service, source, live, holders);
  return { session, pieces: new ReceivedFile({ service, source, live, session, hashes, suppliers }) };
}

/** Once it is recorded, the next attempt takes over from this staging, and the earlier one may be removed. */
async function recordStaging(store: ObjectStore, earlier: string | undefined, live: LiveAttempt): Promise<void> {
  await live.beat();
  if (earlier !== undefined && !live.signal.aborted) await store.discard(earlier);
}

async function tryLink(
  service: Service,
  store: ObjectStore,
  source: ImageSource,
  live: LiveAttempt,
  isReadLater: boolean,
): Promise<LinkSession | undefined> {
  // A link would show the same file in the source's store. If that had the wrong hashes once, fetch the bytes instead.
  if (live.own.retry.bad_hashes > 0) return undefined;
  return unlessFailed(service, live, () => linkedBytes(store, source, live, { signal: live.signal, isReadLater }));
}

/** What saves the bytes the way may fail; then they take it. */
async function unlessFailed<T>(
  service: Service,
  { own, signal }: LiveAttempt,
  link: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await link();
  } catch (error) {
    signal.throwIfAborted();
    service.log.info({ err: error, image: own.image }, 'the bytes could not be linked; they are transferred');
    return undefined;
  }
}

/**
 * Brings what is missing. Returns the staging to go on with if something still is.
 * @throws what arrived before a failure stays in the session
 */
export async function receiveMore(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  staging: Staging,
  signal: AbortSignal,
): Promise<Staging> {
  const { session, pieces, ordered } = staging;
  try {
    if (pieces) await pieces.receive(signal);
    else if (ordered) await receiveInOrder(service, source, live, { session, ...ordered }, signal);
    else await receiveStream(service, source, live, staging, signal);
    return staging;
  } catch (error) {
    if (!(error instanceof NoPiecesError)) throw error;
    service.log.info({ err: error, image: live.own.image }, 'the rest of the file is fetched as one stream');
    if (!pieces) return { session };
    // So that all that is without gaps counts.
    await session.hashes();
    return { session, hasGaps: true };
  }
}
