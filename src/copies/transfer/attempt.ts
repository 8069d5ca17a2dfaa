/**
 * Who works on a transfer. A worker *claims* it: the attempt gets a number, a lease and its own staging, and the
 * placeholder notes the name of the staging, so that no earlier attempt can place the file any more. The worker extends
 * the lease at every heartbeat. If it cannot, or if the transfer is no longer its own, it stops.
 *
 * All writes here require that the attempt is still the latest. A worker that was paused until its lease ran out finds
 * a newer attempt when it continues, and its own staging is no longer used.
 */

import { isHeld, type Lease, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import type { Stored, Write } from '#lib/documents/store.ts';
import { unlessChanged, updateObject, updateWith } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { hasDied } from '#lib/runtime/process-name.ts';
import { isAbandoned, recoverPlacement } from '../../images/files/file-placement.ts';
import { loadRaw, type StoredImage } from '../../images/record/load.ts';
import { putRecord } from '../../images/record/record-write.ts';
import type { CopiesConfig } from '../../service/config/config.ts';
import type { Service } from '../../service/service.ts';
import type { CopyFailure } from '../documents/failures.ts';
import { COPIES, putOrder, putTransfer, type Retry, TRANSFERS, type Transfer, written } from '../documents/model.ts';
import { sessionOf } from '../documents/staging.ts';
import { nextOrderState, nextTransferState } from '../documents/states.ts';

/** The attempt no longer belongs to this worker: it was canceled, finished or taken over. Not a failure. */
export class AttemptLostError extends LeaseLostError {
  override readonly name = 'AttemptLostError';

  constructor(transfer: Pick<Transfer, 'image' | 'attempt'>) {
    super(`attempt ${transfer.attempt} at image "${transfer.image}" is over`);
  }
}

/**
 * Whether a worker may claim the transfer now. A pause longer than the longest possible one was set by a clock that was
 * ahead, so it is ignored.
 */
export function isClaimable(
  { live, state, lease, retry }: Transfer,
  now: number,
  { retryDelay }: Pick<CopiesConfig, 'retryDelay'>,
): boolean {
  if (!live) return false;
  if (state !== 'queued') return state === 'running' && !isHeld(lease, now);
  return retry.not_before <= now || retry.not_before > now + retryDelay.max * 1000;
}

/**
 * Returns the claimed transfer; undefined if another process was faster or an earlier attempt is placing its file right
 * now. `lost`: no placeholder waits for the transfer any more, so its orders must be settled.
 */
export async function claim(
  service: Service,
  { value, etag }: Stored<Transfer>,
): Promise<Transfer | 'lost' | undefined> {
  const placeholder = await settledPlaceholder(service, value.image);
  const copy = placeholder?.value.copy;
  if (!placeholder || copy?.state !== 'live') return 'lost';
  if (placeholder.value.intent && !isLeftToTakeOver(service, placeholder.value)) return undefined;
  const { writer_unknown: _unknown, ...before } = value;
  const claimed: Transfer = {
    ...before,
    state: nextTransferState(value.state, 'claim'),
    attempt: value.attempt + 1,
    claimed_at: service.store.now(),
    is_writer_over: isWriterOver(value),
    lease: leaseFromNow(service),
    retry: retryFromNow(value, service.store.now()),
  };
  const session = sessionOf(claimed, claimed.attempt);
  const writes = [
    putTransfer(claimed, etag),
    putRecord({ ...placeholder.value, copy: { ...copy, session } }, placeholder.etag),
    ...(await startWrites(service, claimed)),
  ];
  if (!(await unlessChanged(service.store.batch(writes)))) return undefined;
  await service.faults.reach('copy:transfer-claimed');
  return claimed;
}

/**
 * Whether the writer of what is staged is certain to be over; otherwise it may only have been paused, and go on writing.
 * The staging may be that of an attempt before the last one, which then noted what it knew of its writer.
 */
function isWriterOver(transfer: Transfer): boolean {
  const { state, lease, staged, attempt, writer_unknown, is_writer_over } = transfer;
  if (writer_unknown) return false;
  if (state !== 'queued' && lease !== undefined && !hasDied(lease.worker)) return false;
  return staged === undefined || staged === sessionOf(transfer, attempt) || is_writer_over === true;
}

function leaseFromNow({ worker, config, store }: Service): Lease {
  return newLease(worker, config.copies.leaseSeconds, store.now());
}

/** Time spent waiting for a free place must not count against the source. */
function retryFromNow({ state, retry }: Transfer, now: number): Retry {
  return state === 'queued' && retry.count === 0 ? { ...retry, last_byte_at: now } : retry;
}

/**
 * Settles a placement that was interrupted, unless it is the abandoned file of an earlier attempt: that is left to the
 * next attempt, which takes the bytes over first, because undoing the placement removes them.
 */
async function settledPlaceholder(service: Service, image: string): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, image);
  if (!stored?.value.copy || isLeftToTakeOver(service, stored.value)) return stored;
  return recoverPlacement(service, stored);
}

function isLeftToTakeOver(service: Service, record: ImageRecord): boolean {
  return record.intent?.kind === 'file' && isAbandoned(record, service.store.now());
}

async function startWrites(service: Service, { orders }: Transfer): Promise<Write[]> {
  const found = await service.store.getMany(COPIES, orders);
  return found
    .filter(({ value }) => value.state === 'queued')
    .map(({ value, etag }) => {
      const started_at = new Date(service.store.now()).toISOString();
      return putOrder({ ...value, state: nextOrderState(value.state, 'start'), started_at }, etag);
    });
}

/** Changes the transfer if the attempt is still this worker's. @throws AttemptLostError */
async function changeOwn(service: Service, own: Transfer, change: (current: Transfer) => Transfer): Promise<Transfer> {
  const updated = await updateObject(service.store, TRANSFERS, own.image, (current) => {
    assertOwn(service, own, current);
    return written(change(current));
  });
  if (!updated) throw new AttemptLostError(own);
  return updated.value;
}

function assertOwn(service: Service, own: Transfer, current: Transfer): void {
  const isOwn = current.id === own.id && current.attempt === own.attempt && current.lease?.worker === service.worker;
  if (!isOwn || current.state !== 'running') throw new AttemptLostError(own);
}

/** What a worker has learned about its transfer and wants recorded. */
export type Advance = Partial<
  Pick<Transfer, 'bytes' | 'rate' | 'staged' | 'solid' | 'via' | 'pull' | 'note' | 'retry' | 'sha256'>
> & {
  /** Null if the last failure is over. */
  readonly error?: CopyFailure | null;
};

/** The transfer with what was learned about it. */
export function advanced({ error: before, ...transfer }: Transfer, { error = before, ...advance }: Advance): Transfer {
  return { ...transfer, ...advance, ...(error && { error }) };
}

/** Extends the lease and records the progress. @throws AttemptLostError */
export function heartbeat(service: Service, own: Transfer, advance: Advance): Promise<Transfer> {
  return changeOwn(service, own, (current) => ({
    ...advanced(current, advance),
    lease: leaseFromNow(service),
  }));
}

/**
 * Continues in a new staging, because the bytes so far are of no use. Returns the transfer with the next attempt
 * number.
 * @throws AttemptLostError
 */
export async function startOver(service: Service, own: Transfer, advance: Advance): Promise<Transfer> {
  const updated = await updateWith(service.store, TRANSFERS, own.image, async ({ value: current }) => {
    assertOwn(service, own, current);
    const placeholder = await loadRaw(service, own.image);
    if (!placeholder?.value.copy) throw new AttemptLostError(own);
    const { staged: _staged, solid: _solid, rate: _rate, ...rest } = advanced(current, advance);
    const attempt = own.attempt + 1;
    const lease = leaseFromNow(service);
    const copy = { ...placeholder.value.copy, session: sessionOf(own, attempt) };
    return {
      value: written({ ...rest, bytes: 0, attempt, lease }),
      also: [putRecord({ ...placeholder.value, copy }, placeholder.etag)],
    };
  });
  if (!updated) throw new AttemptLostError(own);
  return updated.value;
}

/** Puts the transfer back, for any worker to claim from `advance.retry.not_before` on. @throws AttemptLostError */
export function releaseAttempt(service: Service, own: Transfer, advance: Advance): Promise<Transfer> {
  return changeOwn(service, own, (current) => {
    const { lease: _lease, rate: _rate, ...rest } = current;
    return { ...advanced(rest, advance), state: nextTransferState(current.state, 'release') };
  });
}

/** The file is in its place and in the record. @throws AttemptLostError */
export function markReceived(service: Service, own: Transfer): Promise<Transfer> {
  return changeOwn(service, own, (current) => {
    const { lease: _lease, rate: _rate, staged: _staged, solid: _solid, error: _error, ...rest } = current;
    const via = own.via ?? rest.via;
    const note = own.note ?? rest.note;
    const told = { ...(via && { via }), ...(note !== undefined && { note }) };
    return { ...rest, ...told, bytes: rest.total, state: nextTransferState(current.state, 'receive') };
  });
}
