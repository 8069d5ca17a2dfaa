/**
 * One attempt at a transfer, from the claim to its end:
 *
 *   staging (earlier bytes taken over) → bytes → hashes → icon → placed → received → its orders settled
 *
 * What may happen on the way:
 * - After a failure that may pass, it continues from the byte where it broke off: in this process if the pause is
 *   short, else in the one that claims it next.
 * - If the source sends next to nothing, it is put back at once to make room for others, and waits longer each time.
 * - If the bytes are wrong or the source cannot resume, they are dropped, and it starts again from the first byte in a
 *   new staging.
 * - After a permanent failure, the orders that list the transfer fail; the bytes are kept.
 * - If the process stops, the bytes are flushed and the lease is given back.
 * - If the lease is lost or the copy is canceled, it ends silently; nothing it does has any effect any more.
 *
 * If the machine goes down, bytes that were not flushed may be lost. The hashes show it, and the file is fetched again.
 */

import { LeaseLostError } from '#lib/documents/lease.ts';
import type { FileRecord } from '#lib/manifest/record.ts';
import { SessionGoneError } from '#lib/objects/errors.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { recordedSource } from '../../datacenters/sources/sources.ts';
import { recoverPlacement } from '../../images/files/file-placement.ts';
import { loadRaw } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { failureFor } from '../documents/failure-of.ts';
import { CopyError, type CopyFailure } from '../documents/failures.ts';
import { TRANSFERS, type Transfer } from '../documents/model.ts';
import { byteLinkPath } from '../documents/staging.ts';
import { endOrder } from '../orders/end-order.ts';
import { type Advance, AttemptLostError, markReceived, releaseAttempt, startOver } from './attempt.ts';
import type { CountBytes } from './copy-metrics.ts';
import { LiveAttempt } from './live-attempt.ts';
import { Pace } from './pace.ts';
import { bringIcon, isBroughtBy, placeBytes } from './place-bytes.ts';
import { openStaging, receiveMore, type Staging } from './receive.ts';
import { NoResumeError } from './receive-stream.ts';
import { type Verdict, verdictOn } from './retry.ts';
import { verifiedHashes } from './verified-hashes.ts';

/** The worker is stopping: attempts end and are given back. */
export class WorkerStopped extends Error {
  override readonly name = 'WorkerStopped';

  constructor() {
    super('this process is stopping');
  }
}

/** A worker keeps its lease during pauses up to this length, and for at most this many of them in a row. */
const LONGEST_HELD_PAUSE_MS = 5000;
const MOST_HELD_PAUSES = 3;

/** What follows an attempt: a new one from the first byte, or nothing. */
type Next = { readonly startOverWith: Advance } | 'done';

/** Never rejects. Resolves when this process has nothing more to do with the transfer for now. */
export async function runTransfer(
  service: Service,
  claimed: Transfer,
  stop: AbortSignal,
  countBytes: CountBytes = () => {},
): Promise<void> {
  const { leastRate, leastRateSeconds } = service.config.copies;
  let current: LiveAttempt | undefined;
  const pace = new Pace({
    // A transfer that our own bandwidth limit slows down must not count as too slow.
    least: () => (current?.isShareKnown ? Math.min(leastRate, (current.throttle.rate ?? Infinity) / 4) : 0),
    seconds: leastRateSeconds,
    onKept: () => current?.keptPace(),
  });
  try {
    for (let own: Transfer | undefined = claimed; own; ) {
      const live = new LiveAttempt(service, own, { pace, stop, countBytes });
      current = live;
      const next = await runAttempt(service, live).finally(() => live.end());
      own = next === 'done' ? undefined : await startOver(service, live.own, next.startOverWith);
    }
  } catch (error) {
    if (error instanceof LeaseLostError) return;
    // Once the lease runs out, another worker can claim the transfer and continue it.
    service.log.warn({ err: error, image: claimed.image }, 'transfer left until its lease expires');
  } finally {
    pace.end();
  }
}

/** Makes sure that the previous attempt can no longer place linked bytes; see `same-store.ts`. */
async function fenceEarlier(service: Service, own: Transfer): Promise<void> {
  if (own.attempt > 1) await service.storages.named(own.stor).remove(byteLinkPath(own, own.attempt - 1));
}

async function runAttempt(service: Service, live: LiveAttempt): Promise<Next> {
  let session: WriteSession | undefined;
  try {
    const { own } = live;
    await fenceEarlier(service, own);
    let file = (await loadRaw(service, own.image))?.value.files?.[0];
    if (file?.sha1 !== own.sha1) {
      const source = await sourceOf(service, own);
      const staging = await openStaging(service, service.storages.named(own.stor), source, live);
      session = staging.session;
      file = await placedByEarlier(service, own);
      if (file) await session.discard();
      else await receiveAndPlace(service, source, live, staging);
    }
    // The icon comes before the file; so with a file of an earlier order there is only what was the icon then.
    if (file && !isBroughtBy(own, file)) await receiveIcon(service, () => sourceOf(service, own), live);
    await live.end();
    await markReceived(service, live.own);
    return 'done';
  } catch (error) {
    try {
      return await afterFailure(service, live, session, error);
    } catch (lost) {
      if (lost instanceof LeaseLostError) await discardIfGone(service, live.own, session);
      throw lost;
    }
  } finally {
    await session?.close().catch((error: unknown) => service.log.info({ err: error }, 'staging not closed'));
  }
}

/** Nobody takes over what is staged of a transfer that is gone; whoever ended it may have looked before anything was. */
async function discardIfGone(service: Service, { image, id }: Transfer, session?: WriteSession): Promise<void> {
  const current = await service.store.get(TRANSFERS, image);
  if (current?.value.id !== id) await session?.discard();
}

/** Settles a placement left half done by an earlier attempt, whose bytes are now safe in this attempt's staging. */
async function placedByEarlier(service: Service, own: Transfer): Promise<FileRecord | undefined> {
  const stored = await loadRaw(service, own.image);
  const settled = stored && (await recoverPlacement(service, stored));
  const file = settled?.value.files?.[0];
  return file?.sha1 === own.sha1 ? file : undefined;
}

async function receiveAndPlace(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  staging: Staging,
): Promise<void> {
  const { session, isUnread } = staging;
  await receiveAll(service, source, live, staging);
  const hashes = await verifiedHashes(live.own, session);
  await session.flush();
  await service.faults.reach('copy:received');
  await receiveIcon(service, async () => source, live);
  await placeBytes(service, live, { session, hashes, isUnread });
  await service.faults.reach('copy:placed');
}

async function sourceOf(service: Service, { source }: Transfer): Promise<ImageSource> {
  const found = await recordedSource(service, source);
  if (found) return found;
  throw new CopyError('NotLinked', `datacenter "${source}" is no longer linked; run: imgapiadm link-dc ${source} URL`);
}

/** Continues after failures as long as the pauses are short and the source is not too slow. */
async function receiveAll(service: Service, source: ImageSource, live: LiveAttempt, staging: Staging): Promise<void> {
  const { pace } = live;
  const signal = AbortSignal.any([live.signal, pace.signal]);
  pace.begin();
  try {
    let current = staging;
    while (current.session.size < live.own.total) current = await receiveOn(service, source, live, current, signal);
  } catch (error) {
    if (pace.signal.aborted && !live.signal.aborted) throw pace.signal.reason;
    throw error;
  } finally {
    pace.pause();
  }
}

async function receiveOn(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  staging: Staging,
  signal: AbortSignal,
): Promise<Staging> {
  try {
    return await receiveMore(service, source, live, staging, signal);
  } catch (error) {
    if (error instanceof NoResumeError || error instanceof SessionGoneError) throw error;
    await waitOut(service, live, error, signal);
    return staging;
  }
}

/** The icon has no staging: each time it is fetched from its first byte. */
async function receiveIcon(service: Service, source: () => Promise<ImageSource>, live: LiveAttempt): Promise<void> {
  for (;;) {
    try {
      return await bringIcon(service, source, live);
    } catch (error) {
      await waitOut(service, live, error, live.signal);
    }
  }
}

/** Pauses after a failure that may pass soon; rejects with any other. */
async function waitOut(service: Service, live: LiveAttempt, error: unknown, signal: AbortSignal): Promise<void> {
  if (signal.aborted || error instanceof LeaseLostError) throw error;
  const failure = failureFor(live.own.account, error);
  const verdict = judge(service, live, failure);
  if (verdict.action !== 'retry' || !isWaitedOut(failure, verdict)) throw error;
  const { image, bytes } = live.own;
  service.log.info({ err: error, image, bytes }, 'transfer broke off; it continues from there');
  live.note({ retry: verdict.retry, error: failure });
  await pause(verdict.delay, signal);
}

/** False if the source stalled or keeps failing: then the place goes to another transfer. */
function isWaitedOut({ code }: CopyFailure, { delay, retry }: Extract<Verdict, { action: 'retry' }>): boolean {
  return code !== 'Stalled' && retry.count <= MOST_HELD_PAUSES && delay <= LONGEST_HELD_PAUSE_MS;
}

function judge(service: Service, live: LiveAttempt, failure: CopyFailure): Verdict {
  return verdictOn(failure, live.retry, service.config.copies, service.store.now());
}

async function afterFailure(
  service: Service,
  live: LiveAttempt,
  session: WriteSession | undefined,
  error: unknown,
): Promise<Next> {
  await live.end();
  const { reason } = live.signal;
  if (reason instanceof LeaseLostError || error instanceof LeaseLostError) throw new AttemptLostError(live.own);
  if (live.signal.aborted) {
    await giveBack(service, live, session, { ...live.retry, not_before: service.store.now() });
    return 'done';
  }
  if (error instanceof NoResumeError) {
    await session?.discard();
    return { startOverWith: { note: error.message, retry: { ...live.retry, no_ranges: true } } };
  }
  const failure = failureFor(live.own.account, error);
  const verdict = judge(service, live, failure);
  service.log.warn(
    { err: error, image: live.own.image, code: failure.code, action: verdict.action },
    'transfer failed',
  );
  switch (verdict.action) {
    case 'restart':
      await session?.discard();
      return {
        startOverWith: {
          retry: { ...verdict.retry, peak: 0 },
          error: failure,
          note: `fetched again: ${failure.message}`,
        },
      };
    case 'retry':
      await giveBack(service, live, session, verdict.retry, failure);
      return 'done';
    case 'give-up':
      if (verdict.failure.code === 'HashMismatch') await drop(live, session);
      else await keep(service, session);
      // Records the progress, for whoever looks at the failure or orders the image again.
      await live.beat();
      await failOrders(service, live.own, verdict.failure);
      return 'done';
  }
}

async function giveBack(
  service: Service,
  live: LiveAttempt,
  session: WriteSession | undefined,
  retry: Transfer['retry'],
  failure?: CopyFailure,
): Promise<void> {
  await keep(service, session);
  const { bytes, staged, solid, via, pull, note, error = null } = live.own;
  const known = { bytes, staged, solid, via, pull, note, error: failure ?? error };
  const advance = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  await releaseAttempt(service, live.own, { ...advance, retry });
}

/** Flushes what it can. Bytes that cannot be flushed will be fetched again. */
async function keep(service: Service, session: WriteSession | undefined): Promise<void> {
  await session?.flush().catch((error: unknown) => service.log.warn({ err: error }, 'staging not flushed'));
}

/** Wrong bytes are of no use to whoever orders the image again. */
async function drop(live: LiveAttempt, session: WriteSession | undefined): Promise<void> {
  await session?.discard();
  live.note({ bytes: 0, solid: 0 });
}

/** Fails all orders that list the transfer, including those that joined it just now. */
async function failOrders(service: Service, own: Transfer, failure: CopyFailure): Promise<void> {
  for (;;) {
    const current = (await service.store.get(TRANSFERS, own.image))?.value;
    if (!current?.live || current.id !== own.id || current.attempt !== own.attempt) return;
    const [order] = current.orders;
    if (order === undefined) return;
    await endOrder(service, order, { event: 'fail', failure, image: own.image, attempt: own });
  }
}
