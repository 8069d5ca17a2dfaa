/** Finds orders, and decides which of them a caller sees: its own, and operators' orders that bring its images. */
import type { CopyState } from '#lib/api/schemas/copy.ts';
import type { Filter, WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { seesWorkOn } from '../../images/record/access.ts';
import { COPIES, type CopyOrder } from '../documents/model.ts';

/** The most orders to read for one image. */
const MOST_ORDERS = 200;

/** All orders that list the image and that the caller sees, newest first. `account` absent: an operator. */
export async function ordersOf(service: WithStore, uuid: string, account: string | undefined): Promise<CopyOrder[]> {
  const found = await service.store.find(COPIES, {
    filter: { op: 'contains', field: 'images', value: uuid },
    sort: { field: 'created_at', order: 'desc' },
    limit: MOST_ORDERS,
  });
  const orders = found.map(({ value }) => value);
  if (account === undefined) return orders;
  const image = (await service.store.get(IMAGES, uuid))?.value;
  return orders.filter((order) => seesWorkOn(image, order, account));
}

/** The order that says most about the image: live before ended, and for the image itself before others. */
export async function lastOrderOf(
  service: WithStore,
  uuid: string,
  account: string | undefined,
): Promise<CopyOrder | undefined> {
  const orders = await ordersOf(service, uuid, account);
  const own = orders.filter((order) => order.image === uuid);
  return own.find(({ live }) => live) ?? orders.find(({ live }) => live) ?? own[0] ?? orders[0];
}

export interface OrderQuery {
  readonly state?: CopyState | undefined;
  readonly source?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listOrders(service: WithStore, { state, source, limit }: OrderQuery): Promise<CopyOrder[]> {
  const filters: Filter[] = [];
  if (state !== undefined) filters.push({ op: 'eq', field: 'state', value: state });
  if (source !== undefined) filters.push({ op: 'eq', field: 'source', value: source });
  const found = await service.store.find(COPIES, {
    filter: { op: 'and', of: filters },
    sort: { field: 'created_at', order: 'desc' },
    limit,
  });
  return found.map(({ value }) => value);
}
