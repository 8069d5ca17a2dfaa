/**
 * Creates an order: one atomic batch writes the order, a transfer for each image that must be copied, and the
 * placeholders. Images that another order already brings are only listed.
 */

import { randomBytes } from 'node:crypto';
import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import { UniqueAttributeError } from '#lib/documents/errors.ts';
import type { Stored, Write } from '#lib/documents/store.ts';
import { StaleReadError } from '#lib/documents/update.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { type Growth, writingWithin } from '../../images/quotas/guard.ts';
import { assertNoCycle } from '../../images/record/cycles.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { oneAtATime } from '../../images/record/one-at-a-time.ts';
import { putRecord, touchOrigin } from '../../images/record/record-write.ts';
import { isUsableTo } from '../../images/record/references.ts';
import { currentRecord } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import {
  type CopyOrder,
  type OrderMember,
  putOrder,
  putTransfer,
  TRANSFERS,
  type Transfer,
} from '../documents/model.ts';
import { nextTransferState } from '../documents/states.ts';
import { bookBytes } from './booking.ts';
import type { Chain, ChainRequest } from './chain.ts';
import { copyRequest, decide, type Outcome, refusal } from './decision.ts';
import { sharedAsOrdered } from './foreign-shares.ts';
import { orderEvents } from './order-events.ts';
import { type Incoming, livePlaceholder, revivedPlaceholder } from './placeholder.ts';
import { removePlaceholder } from './remove-placeholder.ts';

/** What is already here of a member, and what to do about it. */
interface Part {
  readonly incoming: Incoming;
  readonly local: StoredImage | undefined;
  readonly transfer: Stored<Transfer> | undefined;
  readonly outcome: Outcome;
}

/**
 * @throws EtagConflictError, StaleReadError if something changed since it was read: decide again
 * @throws ApiError if a member cannot be copied; 403 QuotaExceeded
 */
export async function createOrder(service: Service, request: ChainRequest, chain: Chain): Promise<CopyOrder> {
  // Before anything that is here makes way for it.
  const by = request.terms?.by;
  await bookBytes(service, by, chain.members.at(-1)?.file.size ?? 0);
  const parts: Part[] = [];
  for (const coming of chain.members) {
    let { record } = coming;
    // An origin may be on its way already, from elsewhere.
    for (const origin of new Set([chain.base, coming.record.origin])) {
      record = await sharedAsOrdered(service, record, origin, request.terms);
    }
    parts.push(await readPart(service, request, { ...coming, record }));
  }
  // Somebody has ordered the image itself meanwhile: whoever asked for that may be this asker, who has one order then.
  if (parts.at(-1)?.outcome === 'attach') throw new StaleReadError('the image is being copied by now');
  const fresh = parts.filter(({ outcome }) => outcome === 'new-order').map(({ incoming }) => incoming);
  await assertRoomFor(service, fresh);
  const coming = parts.filter(({ outcome }) => outcome !== 'attach').map(({ incoming }) => incoming);
  const booking = await bookBytes(service, by, sum(coming.map(({ file }) => file.size)));
  const order = newOrder(service, request, chain.members.map(asMember));
  const owners = new Map(chain.members.map(({ uuid, record }) => [uuid, record.owner]));
  const writes = [
    ...parts.flatMap((part) => partWrites(service, request, order, part)),
    ...orderEvents(service, 'copy-begun', order, (uuid) => owners.get(uuid)),
  ];
  if (chain.base !== undefined) await assertNoCycle(service, order.images, chain.base);
  const { base } = chain;
  const growths = parts.flatMap((part) => growthOf(request, part));
  const write = (touched: readonly Write[]) =>
    writingWithin(service, growths, request, (kept) =>
      writeNew(service, [putOrder(order, null), ...booking, ...writes, ...touched, ...kept]),
    );
  if (base === undefined) await write([]);
  else await oneAtATime(service, base, async () => write([await touchOrigin(service, base, request)]));
  service.log.info({ order: order.uuid, kind: order.kind, images: order.images, source: order.source }, 'copy ordered');
  await service.faults.reach('copy:order-recorded');
  return order;
}

export function newOrder(
  service: Service,
  {
    kind,
    account,
    source,
    requestId,
    finishBy,
    terms,
  }: Pick<ChainRequest, 'kind' | 'account' | 'source' | 'requestId' | 'finishBy' | 'terms'>,
  members: readonly OrderMember[],
): CopyOrder {
  const images = members.map(({ uuid }) => uuid);
  return {
    uuid: newUuid(),
    kind,
    ...(terms && { ordered_by: terms.by }),
    ...(terms?.hold && { hold: terms.hold }),
    ...(account !== undefined && { account }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(finishBy !== undefined && { finish_by: finishBy }),
    image: images.at(-1) ?? '',
    source,
    state: 'queued',
    live: true,
    members,
    images,
    created_at: new Date(service.store.now()).toISOString(),
    rev: 0,
  };
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

export function asMember({ uuid, file, record }: Incoming): OrderMember {
  return { uuid, name: record.name, version: record.version, sha1: file.sha1, size: file.size };
}

/** Also removes the placeholder of a failed copy that cannot be continued. */
async function readPart(service: Service, request: ChainRequest, incoming: Incoming): Promise<Part> {
  const local = await currentRecord(service, incoming.uuid, request);
  const transfer = await service.store.get(TRANSFERS, incoming.uuid);
  const wanted = { account: request.account, owner: String(incoming.record.owner), sha1: incoming.file.sha1 };
  const outcome = decide(local?.value, request.account, copyRequest('import', local?.value, wanted));
  if (local && (outcome === 'drop-bytes' || outcome === 'replace-placeholder')) {
    await removePlaceholder(service, local);
    return readPart(service, request, incoming);
  }
  if (outcome === 'exists' && local && (await isUsableTo(service, local.value, request))) {
    // It became usable after the chain was walked, so the chain is shorter now.
    throw new StaleReadError(`image "${incoming.uuid}" became usable while its chain was walked`);
  }
  if (outcome === 'exists') throw refusal(outcome, incoming.uuid);
  return { incoming, local, transfer, outcome };
}

/** What is here of it, and what will be. */
function growthOf({ source }: ChainRequest, { incoming, local, transfer, outcome }: Part): Growth[] {
  if (outcome === 'new-order' || !local) return [{ after: livePlaceholder(incoming, source) }];
  return outcome === 'attach'
    ? []
    : [{ before: local.value, after: revivedPlaceholder(local.value, incoming, source, transfer?.value) }];
}

function partWrites(service: Service, { source, account }: ChainRequest, order: CopyOrder, part: Part): Write[] {
  const { incoming, local, transfer, outcome } = part;
  const fresh = newTransfer(service, order, incoming, source, account);
  if (outcome === 'new-order' || !local) {
    return [putRecord(livePlaceholder(incoming, source), null), putTransfer(fresh, transfer?.etag ?? null)];
  }
  if (outcome === 'attach' && transfer) return attachWrites(order, local, transfer);
  const revived = transfer ? reviveTransfer(transfer.value, fresh) : fresh;
  return [
    putRecord(revivedPlaceholder(local.value, incoming, source, transfer?.value), local.etag),
    putTransfer(revived, transfer?.etag ?? null),
  ];
}

/** Writes the record as well, so that a removal or commit at the same time conflicts and decides again. */
export function attachWrites(order: CopyOrder, local: StoredImage, { value, etag }: Stored<Transfer>): Write[] {
  const { ordered_by, ...rest } = value;
  const isElsewhere = ordered_by !== undefined && order.ordered_by !== undefined;
  const orders = [...value.orders, order.uuid];
  const joined = { ...rest, orders, ...(isElsewhere && { ordered_by }), ...deadlineOf(order) };
  return [putRecord(local.value, local.etag), putTransfer(joined, etag)];
}

function deadlineOf({ finish_by }: CopyOrder): Pick<Transfer, 'has_deadline'> {
  return finish_by === undefined ? {} : { has_deadline: true };
}

function newTransfer(
  service: Service,
  order: CopyOrder,
  { uuid, file, icon, record }: Incoming,
  source: string,
  account: string | undefined,
): Transfer {
  const now = service.store.now();
  return {
    image: uuid,
    id: randomBytes(4).toString('hex'),
    source,
    ...(account !== undefined && { account }),
    state: 'queued',
    live: true,
    ...(order.ordered_by && { ordered_by: order.ordered_by.datacenter }),
    orders: [order.uuid],
    ...deadlineOf(order),
    stor: service.storages.ofOwner(record.owner).name,
    sha1: file.sha1,
    ...(file.sha256 !== undefined && { sha256: file.sha256 }),
    compression: file.compression,
    ...(file.dataset_guid !== undefined && { dataset_guid: file.dataset_guid }),
    icon,
    total: file.size,
    bytes: 0,
    attempt: 0,
    retry: { count: 0, not_before: now, last_byte_at: now, bad_hashes: 0, peak: 0 },
    created_at: new Date(now).toISOString(),
    rev: 0,
  };
}

/** The new order's transfer, which continues with the bytes and the attempt numbers of the failed one. */
function reviveTransfer(failed: Transfer, fresh: Transfer): Transfer {
  const { id, attempt, stor, bytes, staged, solid, rev, writer_unknown, is_writer_over } = failed;
  const state = nextTransferState(failed.state, 'order-again');
  return {
    ...fresh,
    id,
    attempt,
    stor,
    bytes,
    rev,
    state,
    ...(staged !== undefined && { staged }),
    ...(solid !== undefined && { solid }),
    ...(writer_unknown && { writer_unknown }),
    ...(is_writer_over !== undefined && { is_writer_over }),
  };
}

async function writeNew(service: Service, writes: readonly Write[]): Promise<void> {
  try {
    await service.store.batch(writes);
  } catch (error) {
    if (!(error instanceof UniqueAttributeError)) throw error;
    if (error.field === 'urn') throw validationFailed('urn', 'another image here has the same urn');
    throw new StaleReadError(`another request made the same ${error.field} of ${error.bucket}`, { cause: error });
  }
}

/**
 * Refuses the order before anything is recorded; the store itself reserves the space once bytes start to come.
 * @throws 507 InsufficientStorage
 */
async function assertRoomFor(service: Service, incoming: readonly Incoming[]): Promise<void> {
  const byStore = Map.groupBy(incoming, ({ record }) => service.storages.ofOwner(record.owner));
  for (const [store, images] of byStore) {
    const needed = images.reduce((sum, { file }) => sum + file.size, 0);
    const free = await store.free();
    if (free === undefined || needed <= free) continue;
    throw new ApiError(
      'InsufficientStorage',
      `the copy needs ${needed} bytes, but object store "${store.name}" has room for only ${free}`,
    );
  }
}
