/**
 * Asking for an image that is already being copied. A caller that asked for it before gets the same order; any other
 * caller gets a new order that lists the running transfers. Neither needs the source, so both work while it is down.
 */
import type { Filter, Stored } from '#lib/documents/store.ts';
import { StaleReadError } from '#lib/documents/update.ts';
import { relationTo } from '../../images/record/access.ts';
import { loadRaw, type StoredImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { COPIES, type CopyOrder, type OrderedBy, putOrder, TRANSFERS, type Transfer } from '../documents/model.ts';
import { type ChainRequest, foreignOrigin } from './chain.ts';
import { moveDeadline } from './deadline.ts';
import { attachWrites, newOrder } from './new-order.ts';
import { orderEvents } from './order-events.ts';

/** Of one account for one image: its own, and one for each fan-out of other datacenters. */
const MOST_LIVE = 100;

interface Underway {
  readonly record: StoredImage;
  readonly transfer: Stored<Transfer>;
}

/**
 * @throws EtagConflictError, StaleReadError if something changed since it was read, or if the image is no longer being
 * copied: decide again
 * @throws 422 OriginDoesNotExist, 404 ResourceNotFound if it waits for an origin that the asker may not see
 */
export async function attach(
  service: Service,
  uuid: string,
  asker: Pick<ChainRequest, 'kind' | 'account' | 'terms' | 'requestId' | 'finishBy'>,
): Promise<CopyOrder> {
  const same = await liveOrderFor(service, uuid, asker);
  if (same) {
    const { finishBy, terms } = asker;
    // Another datacenter moves the time of what it ordered itself, and of nothing else.
    const isItsOwn = terms === undefined || same.ordered_by?.datacenter === terms.by.datacenter;
    return finishBy !== undefined && isItsOwn ? moveDeadline(service, same.uuid, finishBy) : same;
  }
  const chain = await chainUnderway(service, uuid);
  const head = chain.at(-1);
  if (!head) throw new StaleReadError(`image "${uuid}" is no longer being copied`);
  const { source } = head.transfer.value;
  const hidden = chain.find(({ record }) => relationTo(record.value, asker) === 'none');
  if (hidden) throw foreignOrigin({ kind: asker.kind, source }, hidden.record.key);
  const members = chain.map(({ record, transfer }) => ({
    uuid: record.key,
    name: record.value.name,
    version: record.value.version,
    sha1: transfer.value.sha1,
    size: transfer.value.total,
  }));
  const order = newOrder(service, { ...asker, source }, members);
  const writes = chain.flatMap(({ record, transfer }) => attachWrites(order, record, transfer));
  const owners = new Map(chain.map(({ record }) => [record.key, record.value.owner]));
  const told = orderEvents(service, 'copy-begun', order, (image) => owners.get(image));
  await service.store.batch([putOrder(order, null), ...writes, ...told]);
  await service.faults.reach('copy:order-recorded');
  return order;
}

/**
 * The live order in which this account (or an operator) asked for the image itself. One that another datacenter holds back
 * is no answer to somebody who wants the image as soon as it is here, and what one fan-out ordered is no other one's, which
 * may be canceled.
 */
async function liveOrderFor(
  service: Service,
  image: string,
  { account, terms }: Pick<ChainRequest, 'account' | 'terms'>,
) {
  const field = 'account';
  const byAsker: Filter = account === undefined ? { op: 'not', of: { op: 'exists', field } } : eq(field, account);
  const filter: Filter = { op: 'and', of: [eq('image', image), eq('live', true), byAsker] };
  const found = (await service.store.find(COPIES, { filter, limit: MOST_LIVE })).map(({ value }) => value);
  const own = found.filter(({ ordered_by: by }) => !by || isSame(by, terms?.by));
  return own.find(({ hold }) => !hold) ?? (terms?.hold ? own[0] : undefined);
}

function isSame(by: OrderedBy, other: OrderedBy | undefined): boolean {
  return by.datacenter === other?.datacenter && by.fan_out === other.fan_out;
}

/** UUIDs of the live orders that list the image. */
export async function liveOrdersOf(service: Service, uuid: string): Promise<string[]> {
  const filter: Filter = { op: 'and', of: [{ op: 'contains', field: 'images', value: uuid }, eq('live', true)] };
  const orders: string[] = [];
  for await (const found of service.store.scan(COPIES, { filter })) orders.push(...found.map(({ key }) => key));
  return orders;
}

function eq(field: string, value: string | boolean): Filter {
  return { op: 'eq', field, value };
}

/** The image and those of its origins that are being copied too, base first. */
async function chainUnderway(service: Service, uuid: string): Promise<Underway[]> {
  const chain: Underway[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = uuid; next !== undefined && !seen.has(next); ) {
    seen.add(next);
    const record: StoredImage | undefined = await loadRaw(service, next);
    const transfer = await service.store.get(TRANSFERS, next);
    if (record?.value.copy?.state !== 'live' || !transfer?.value.live) break;
    chain.unshift({ record, transfer });
    next = record.value.origin;
  }
  return chain;
}
