/**
 * The progress of an order, which any process can tell from the documents. The last byte is reported as done only when
 * the images are usable: until then something can still go wrong.
 */
import type { CopyImageStatus, CopySource, CopyStatus } from '#lib/api/schemas/copy.ts';
import type { Stored, WithStore } from '#lib/documents/store.ts';
import { redact } from '#lib/text/redact.ts';
import { type CopyOrder, type OrderMember, TRANSFERS, type Transfer } from '../documents/model.ts';
import { type OrderViewer, shownTo } from './shown-order.ts';

export async function statusOf(service: WithStore, order: CopyOrder, viewer?: OrderViewer): Promise<CopyStatus> {
  const [status] = await statusesOf(service, [order], viewer);
  if (!status) throw new Error('there is a status for every order');
  return status;
}

/** @param viewer absent: shows the orders as operators see them */
export async function statusesOf(
  service: WithStore,
  all: readonly CopyOrder[],
  viewer?: OrderViewer,
): Promise<CopyStatus[]> {
  const orders = viewer ? await shownTo(service, all, viewer) : all;
  const images = [...new Set(orders.filter(({ live }) => live).flatMap((order) => order.images))];
  const found = images.length > 0 ? await service.store.getMany(TRANSFERS, images) : [];
  const transfers = new Map(found.map((stored) => [stored.key, stored]));
  // Whoever hears of its end may delete the source.
  if (orders.some(({ live }) => !live)) await service.store.settled();
  return orders.map((order) => describe(order, transfers));
}

function describe(order: CopyOrder, transfers: ReadonlyMap<string, Stored<Transfer>>): CopyStatus {
  const images = order.members.map((member) => memberStatus(order, member, transfers.get(member.uuid)?.value));
  const sum = (field: 'bytes_done' | 'bytes_total' | 'rate'): number =>
    images.reduce((total, image) => total + image[field], 0);
  const [done, total, rate] = [sum('bytes_done'), sum('bytes_total'), sum('rate')];
  const notFetched = images.reduce((bytes, { bytes_not_fetched = 0 }) => bytes + bytes_not_fetched, 0);
  const { account, started_at, finished_at, finish_by, late_at, error, changes } = order;
  return {
    image_uuid: order.image,
    order: order.uuid,
    ...(account !== undefined && { account }),
    datacenter: redact(order.source),
    state: order.state,
    kind: order.kind,
    ...(order.ordered_by && { ordered_by: order.ordered_by.datacenter }),
    ...(order.hold && order.live && { held: true }),
    created_at: order.created_at,
    ...(started_at !== undefined && { started_at }),
    ...(finished_at !== undefined && { finished_at }),
    ...(finish_by !== undefined && { finish_by }),
    ...(late_at !== undefined && { late_at }),
    ...(error !== undefined && { error }),
    bytes_done: order.live ? notQuiteAll(done, total) : done,
    bytes_total: total,
    ...(notFetched > 0 && { bytes_not_fetched: notFetched }),
    rate,
    ...(order.live && rate > 0 && { eta: Math.ceil((total - done) / rate) }),
    ...(changes !== undefined && { changes }),
    images,
  };
}

function memberStatus(order: CopyOrder, member: OrderMember, transfer: Transfer | undefined): CopyImageStatus {
  const { uuid, name, version, size, result } = member;
  const base = { uuid, name, version, bytes_total: size };
  if (result) {
    const { state, bytes } = result;
    return { ...base, state, bytes_done: bytes, rate: 0, ...told(result), ...notFetched(result.via, bytes) };
  }
  // Another order that also needed this image has made it usable.
  if (!transfer?.orders.includes(order.uuid)) {
    return { ...base, state: 'succeeded', bytes_done: size, rate: 0, attempt: 0 };
  }
  const { state, bytes, rate = 0 } = transfer;
  const done = notQuiteAll(bytes, size);
  return {
    ...base,
    state,
    bytes_done: done,
    rate: state === 'running' ? rate : 0,
    ...told(transfer),
    ...notFetched(transfer.via, done),
  };
}

/** What is shown of an attempt, running or ended. */
function told({ attempt, via, error, note }: Pick<Transfer, 'attempt' | 'via' | 'error' | 'note'>) {
  return {
    attempt,
    ...(via && { source: via }),
    ...(error && { error }),
    ...(note !== undefined && { note }),
  };
}

function notFetched(via: CopySource | undefined, bytes: number): Pick<CopyImageStatus, 'bytes_not_fetched'> {
  return via === 'here' || via === 'link' ? { bytes_not_fetched: bytes } : {};
}

function notQuiteAll(bytes: number, total: number): number {
  return Math.max(0, Math.min(bytes, total - 1));
}
