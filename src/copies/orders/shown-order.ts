/**
 * An order as an account sees it. The account's own orders are shown in full. An operator's import may bring the
 * account's image together with those of others, which it must not learn about by asking for its own.
 */
import type { WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { relationTo } from '../../images/record/access.ts';
import type { CopyOrder } from '../documents/model.ts';

export interface OrderViewer {
  /** Absent for an operator, who sees everything. */
  readonly account: string | undefined;
  /** The image that the viewer asks about, and may see. */
  readonly image: string;
}

/** Only for display: never write the result back, because members may be left out. */
export async function shownTo(
  service: WithStore,
  orders: readonly CopyOrder[],
  { account, image }: OrderViewer,
): Promise<readonly CopyOrder[]> {
  if (account === undefined) return orders;
  const others = orders.filter((order) => order.account !== account).flatMap(({ images }) => images);
  if (others.length === 0) return orders;
  const found = await service.store.getMany(IMAGES, [...new Set(others)]);
  const seen = new Set(found.filter(({ value }) => relationTo(value, { account }) !== 'none').map(({ key }) => key));
  return orders.map((order) => (order.account === account ? order : withOnly(order, seen.add(image), image)));
}

function withOnly(order: CopyOrder, seen: ReadonlySet<string>, image: string): CopyOrder {
  const members = order.members.filter(({ uuid }) => seen.has(uuid));
  if (members.length === order.members.length) return order;
  const { error } = order;
  const isTheirs = members.some(({ result }) => result?.error);
  return {
    ...order,
    image: seen.has(order.image) ? order.image : image,
    members,
    images: members.map(({ uuid }) => uuid),
    ...(error &&
      !isTheirs && { error: { code: error.code, message: 'another image of the same import could not be copied' } }),
  };
}
