/**
 * What other datacenters may order here: nothing, unless `links.acceptOrders` names them, and then so many bytes in a
 * day. The day's sum is one document per datacenter, written in the batch of each order, so that neither a kill nor two
 * orders at once can make it wrong.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { Service } from '../../service/service.ts';
import type { OrderedBy } from '../documents/model.ts';

/** Stored under the datacenter's name. */
interface Booking {
  /** `2026-01-31`, by the store's clock. */
  readonly day: string;
  /** Bytes of files that its orders of that day bring. */
  readonly bytes: number;
  /** How often it ordered something that day, in vain or not. */
  readonly orders: number;
  readonly rev: number;
}

/** Orders of one datacenter in a day. */
const MOST_ORDERS = 10_000;

export const BOOKINGS: Bucket<Booking> = { name: 'imgapi_order_bookings', version: 1, index: {} };

/** @throws 403 Forbidden if the datacenter may not order anything */
function assertAcceptsOrders({ config }: Pick<Service, 'config'>, datacenter: string): void {
  if (bytesPerDay(config, datacenter) !== undefined) return;
  throw new ApiError(
    'Forbidden',
    `datacenter "${config.datacenterName}" accepts no orders of datacenter "${datacenter}"; ` +
      'an operator there allows them with links.acceptOrders',
  );
}

/**
 * What to write with the order. @throws 403 Forbidden, 429 TooManyRequests if the day's bytes are used up; an etag
 * conflict of the batch means that another order came first
 */
export async function bookBytes(service: Service, by: OrderedBy | undefined, bytes: number): Promise<Write[]> {
  if (!by) return [];
  const { datacenter } = by;
  assertAcceptsOrders(service, datacenter);
  const most = bytesPerDay(service.config, datacenter) ?? 0;
  const { booking, write } = await today(service, datacenter);
  const left = Math.max(0, most - booking.bytes);
  if (bytes > left) {
    const allowed = `datacenter "${datacenter}" may order ${most} bytes a day here; ${left} are left today`;
    throw new ApiError('TooManyRequests', `${allowed}, and this copy needs ${bytes}`);
  }
  return [write({ ...booking, bytes: booking.bytes + bytes })];
}

/**
 * Counts an order before anything is done for it: each may leave a document.
 * @throws 403 Forbidden, 429 TooManyRequests
 */
export async function bookOrder(service: Service, datacenter: string): Promise<void> {
  assertAcceptsOrders(service, datacenter);
  await retryOnConflict(async () => {
    const { booking, write } = await today(service, datacenter);
    if (booking.orders >= MOST_ORDERS) {
      throw new ApiError('TooManyRequests', `datacenter "${datacenter}" may order ${MOST_ORDERS} copies a day here`);
    }
    await service.store.batch([write({ ...booking, orders: booking.orders + 1 })]);
  });
}

async function today({ store }: Pick<Service, 'store'>, datacenter: string) {
  const day = new Date(store.now()).toISOString().slice(0, 10);
  const found = await store.get(BOOKINGS, datacenter);
  const rev = (found?.value.rev ?? 0) + 1;
  const booking: Booking = found?.value.day === day ? { ...found.value, rev } : { day, bytes: 0, orders: 0, rev };
  const write = (value: Booking): Write => ({
    op: 'put',
    bucket: BOOKINGS,
    key: datacenter,
    value,
    ifEtag: found?.etag ?? null,
  });
  return { booking, write };
}

function bytesPerDay({ links }: Service['config'], datacenter: string): number | undefined {
  return Object.hasOwn(links.acceptOrders, datacenter) ? links.acceptOrders[datacenter]?.bytesPerDay : undefined;
}
