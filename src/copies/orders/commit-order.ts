/**
 * The successful end of an order: all its images become usable in the same batch in which the order ends.
 *
 * Before that, each manifest is read from the source again. If the image is gone or the source does not answer, the
 * snapshot in the placeholder is used. If the image has another owner or another file, the order fails. Otherwise the
 * fields that may change (the row "read again" in the table of `lib/manifest/travel.ts`) are updated, so that an
 * account that lost its share there in the meantime gets no access here. All else stays as ordered, to match the bytes.
 */

import { isFinal } from '#lib/api/copy-states.ts';
import type { Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { recordedSource } from '../../datacenters/sources/sources.ts';
import { putRecord } from '../../images/record/record-write.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CopyError } from '../documents/failures.ts';
import {
  type CopyOrder,
  deleteTransfer,
  type MemberResult,
  type OrderMember,
  putOrder,
  type Transfer,
} from '../documents/model.ts';
import { nextOrderState } from '../documents/states.ts';
import { endOrder, type OrderContents, readOrder } from './end-order.ts';
import { isOrderedElsewhere, sharedAsOrdered } from './foreign-shares.ts';
import { orderEvents } from './order-events.ts';
import { incomingImage, refreshedPlaceholder, usableRecord } from './placeholder.ts';
import { endOfPull } from './pull-ends.ts';

/** How long to wait for one manifest before the snapshot is used instead. */
const REREAD_MS = 10_000;

/**
 * Commits the order if all its images are safe, fails it if one is no longer here, and otherwise leaves it alone. Any
 * process may call this at any time: if several do, one wins and the others find it done.
 */
export async function settleOrder(service: Service, uuid: string, signal: AbortSignal): Promise<void> {
  const fresh = new Map<string, ImageRecord>();
  const committed = await retryOnConflict(() => commit(service, uuid, fresh, signal));
  if (!committed) return;
  await service.faults.reach('copy:committed');
  service.log.info({ order: uuid, images: committed.images }, 'copy succeeded');
}

/** Undefined if there is nothing to commit yet, or if the order has ended or failed. */
async function commit(
  service: Service,
  uuid: string,
  fresh: Map<string, ImageRecord>,
  signal: AbortSignal,
): Promise<CopyOrder | undefined> {
  const contents = await readOrder(service, uuid);
  if (!contents || isFinal(contents.order.value.state)) return undefined;
  const { value: order } = contents.order;
  const lost = order.members.find((member) => standing(contents, member) === 'lost');
  if (lost) {
    const message = `image "${lost.uuid}" was removed here while it was being copied`;
    await endOrder(service, uuid, { event: 'fail', failure: { code: 'PlaceholderGone', message }, image: lost.uuid });
    return undefined;
  }
  if (order.members.some((member) => standing(contents, member) === 'coming')) return undefined;
  if (order.hold) {
    if (service.store.now() < order.hold.until) return undefined;
    const message = `datacenter "${order.ordered_by?.datacenter}" did not release the copy in time`;
    await endOrder(service, uuid, { event: 'fail', failure: { code: 'HoldExpired', message }, image: order.image });
    return undefined;
  }
  if (!(await readAgain(service, contents, fresh, signal))) return undefined;
  await service.faults.reach('copy:before-commit');
  await service.store.batch(commitWrites(service, contents, fresh));
  return order;
}

/** `received`: can be made usable. `usable`: another order has already done so. */
function standing(
  { transfers, records, order }: OrderContents,
  { uuid }: OrderMember,
): 'coming' | 'received' | 'usable' | 'lost' {
  const record = records.get(uuid)?.value;
  const transfer = transfers.get(uuid)?.value;
  if (record?.activated && !record.copy && record.state !== 'deleting') return 'usable';
  if (record?.copy?.state !== 'live' || !transfer?.orders.includes(order.value.uuid)) return 'lost';
  return transfer.state === 'received' && record.files?.[0]?.sha1 === transfer.sha1 && !record.intent
    ? 'received'
    : 'coming';
}

/** Fills `fresh` with the records as the source describes them now. False if the order failed because of that. */
async function readAgain(
  service: Service,
  contents: OrderContents,
  fresh: Map<string, ImageRecord>,
  signal: AbortSignal,
): Promise<boolean> {
  const { uuid, members } = contents.order.value;
  for (const member of members) {
    if (fresh.has(member.uuid) || standing(contents, member) !== 'received') continue;
    const record = contents.records.get(member.uuid)?.value;
    const transfer = contents.transfers.get(member.uuid)?.value;
    if (!record || !transfer) continue;
    try {
      const now = await recordNow(service, record, transfer, signal);
      const terms = await foreignTerms(service, contents, transfer);
      fresh.set(member.uuid, await sharedAsOrdered(service, now, now.origin, terms));
    } catch (error) {
      if (!(error instanceof CopyError)) throw error;
      await endOrder(service, uuid, { event: 'fail', failure: failureOf(error), image: member.uuid });
      return false;
    }
  }
  return true;
}

/** Undefined if somebody here asked for the image too. */
async function foreignTerms(service: Service, { order }: OrderContents, transfer: Transfer) {
  const by = order.value.ordered_by;
  return by && (await isOrderedElsewhere(service, transfer)) ? { by } : undefined;
}

/** The updated record, or `record` itself if the snapshot is to be used. @throws CopyError if the order must fail */
async function recordNow(
  service: Service,
  record: ImageRecord,
  transfer: Transfer,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const { uuid } = record;
  const source = await recordedSource(service, transfer.source);
  const image = source && (await askAgain(service, source, record, transfer.account, signal));
  if (!image) return record;
  const where = `in datacenter "${transfer.source}"`;
  if (transfer.account !== undefined && image.manifest['owner'] !== record.owner) {
    throw new CopyError('NotOwner', `image "${uuid}" now belongs to another account ${where}`);
  }
  if (image.files[0]?.sha1 !== transfer.sha1) {
    throw new CopyError('SourceChanged', `image "${uuid}" now has another file ${where}`);
  }
  try {
    const policy = transfer.account === undefined ? 'all' : 'own';
    const { channels } = record;
    const incoming = incomingImage(service, image, {
      source: source.name,
      policy,
      ...(channels && { channels }),
    });
    return refreshedPlaceholder(service, record, incoming);
  } catch (error) {
    service.log.warn(
      { err: error, image: uuid, source: source.name },
      'the manifest at the source is no longer valid; using the snapshot',
    );
    return record;
  }
}

async function askAgain(
  service: Service,
  source: ImageSource,
  { uuid }: ImageRecord,
  account: string | undefined,
  signal: AbortSignal,
): Promise<SourceImage | undefined> {
  try {
    return await source.getImage(uuid, account, AbortSignal.any([signal, AbortSignal.timeout(REREAD_MS)]));
  } catch (error) {
    // A process that is stopping cannot ask, and leaves the commit to one that can.
    signal.throwIfAborted();
    const { code, message } = failureOf(error);
    if (code === 'NotOwner') throw new CopyError(code, message, { cause: error });
    service.log.info(
      { err: error, image: uuid, source: source.name },
      'the manifest could not be read again; using the snapshot',
    );
    return undefined;
  }
}

function commitWrites(service: Service, contents: OrderContents, fresh: ReadonlyMap<string, ImageRecord>): Write[] {
  const now = service.store.now();
  const writes: Write[] = [];
  const members = contents.order.value.members.map((member) => {
    const record = contents.records.get(member.uuid);
    const transfer = contents.transfers.get(member.uuid);
    const received = standing(contents, member) === 'received';
    if (received && record && transfer) {
      const current = fresh.get(member.uuid) ?? record.value;
      writes.push(putRecord(usableRecord(current, now), record.etag), deleteTransfer(transfer));
      writes.push(...endOfPull(service, transfer.value));
    }
    const { attempt = 0, via, note } = transfer?.value ?? {};
    const result: MemberResult = {
      state: 'succeeded',
      bytes: member.size,
      attempt,
      ...(via && { via }),
      ...(note !== undefined && { note }),
    };
    return { ...member, result };
  });
  const { value: order, etag } = contents.order;
  const committed: CopyOrder = {
    ...order,
    members,
    state: nextOrderState(order.state, 'commit'),
    live: false,
    finished_at: new Date(now).toISOString(),
  };
  const ownerOf = (uuid: string) => (fresh.get(uuid) ?? contents.records.get(uuid)?.value)?.owner;
  return [putOrder(committed, etag), ...writes, ...orderEvents(service, 'copy-done', committed, ownerOf)];
}
