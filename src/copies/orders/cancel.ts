/** Ending a copy on request: by canceling it, or by deleting the image that it brings. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { type Cause, causeOf } from '../../images/events/event.ts';
import { assertMayChangeAs, relationTo, seesWorkOn } from '../../images/record/access.ts';
import { loadRaw, type StoredImage } from '../../images/record/load.ts';
import { assertNoDependents } from '../../images/record/origins.ts';
import { recordHere } from '../../images/record/tombstones.ts';
import type { Caller, Service } from '../../service/service.ts';
import type { CopyOrder } from '../documents/model.ts';
import { liveOrdersOf } from './attach.ts';
import { settleOrder } from './commit-order.ts';
import { decide, refusal } from './decision.ts';
import { endOrder, type OrderContents } from './end-order.ts';
import { ordersOf } from './find-orders.ts';
import { removePlaceholder } from './remove-placeholder.ts';
import { shownTo } from './shown-order.ts';

/**
 * Cancels the caller's orders for the image and returns the latest of them.
 * @throws 404 if none is under way; 409 CopyAlreadyFinished if one has just ended; 422 ImageHasDependentImages if the
 * image is only being copied as the origin of another
 */
export async function cancelCopy(
  service: Service,
  uuid: string,
  account: string | undefined,
  requestId?: string,
): Promise<CopyOrder> {
  const record = (await recordHere(service, uuid))?.value;
  const orders = await ordersOf(service, uuid, account);
  const live = orders.filter((order) => order.live);
  if (decide(record, account, 'cancel') === 'not-found' || live.length === 0) throw nothingToCancel(uuid, orders);
  const own = live.filter((order) => order.image === uuid);
  if (own.length === 0) throw onlyComesAlong(uuid, await shownTo(service, live, { account, image: uuid }));
  const assertCancelable = ({ order, records }: OrderContents): void => {
    const image = records.get(uuid)?.value;
    const isOwn = seesWorkOn(image, order.value, account);
    if (!isOwn || decide(image, account, 'cancel') === 'not-found') throw nothingToCancel(uuid, []);
  };
  const cause = causeOf({ account, requestId });
  const ended = await Promise.all(
    own.map((order) => endOrder(service, order.uuid, { event: 'cancel', cause, assertCancelable })),
  );
  const [latest] = ended;
  if (!latest) throw refusal('not-found', uuid);
  return latest;
}

/** @param orders those that the caller may see, newest first: the message tells how the last one ended */
function nothingToCancel(uuid: string, orders: readonly CopyOrder[]): ApiError {
  const last = orders.find(({ image, live }) => image === uuid && !live);
  if (!last) return new ApiError('ResourceNotFound', `no copy of image "${uuid}" is under way`);
  const when = last.finished_at === undefined ? '' : ` at ${last.finished_at}`;
  const end = `the copy of image "${uuid}" from "${last.source}" has already ended: ${last.state}${when}`;
  return new ApiError('ResourceNotFound', `${end}; there is nothing to cancel`);
}

function onlyComesAlong(uuid: string, orders: readonly CopyOrder[]): ApiError {
  const images = orders.map(({ image }) => image).filter((image) => image !== uuid);
  const named = images.length > 0 ? images.map((image) => `"${image}"`).join(', ') : 'another image';
  return new ApiError(
    'ImageHasDependentImages',
    `image "${uuid}" is being copied as an origin of ${named}; cancel that copy instead`,
  );
}

/** DeleteImage of a placeholder that the caller may change. @throws 422 ImageHasDependentImages, 409 */
export async function deletePlaceholder(service: Service, stored: StoredImage, caller: Caller): Promise<void> {
  const bringing = await liveOrdersOf(service, stored.key);
  // Each new attempt writes to the record, and each heartbeat to the transfer, so conflicts are expected.
  await retryOnConflict(() => removeOrCancel(service, stored.key, caller));
  // An import of other images that needs this one as an origin can no longer succeed, so it fails now.
  for (const order of bringing) await settleOrder(service, order, caller.signal);
}

async function removeOrCancel(service: Service, uuid: string, caller: Caller): Promise<void> {
  const viewer = { account: caller.account };
  const current = await loadRaw(service, uuid);
  if (!current) throw refusal('not-found', uuid);
  assertMayChangeAs(relationTo(current.value, viewer), current.value, viewer);
  const outcome = decide(current.value, caller.account, 'delete');
  if (outcome === 'not-found') throw refusal(outcome, uuid);
  if (outcome === 'as-usual') throw becameUsable(uuid);
  // Another image that is being copied may build on this one, and would be left without its origin.
  await assertNoDependents(service, current.value, viewer);
  if (outcome === 'canceled-by-delete' && (await cancelAll(service, uuid, causeOf(caller)))) return;
  // No order for the image itself is live, so the placeholder is simply removed.
  await removePlaceholder(service, current);
}

function becameUsable(uuid: string): ApiError {
  return new ApiError(
    'Conflict',
    `the copy of image "${uuid}" has just ended; look at the image, then try again if you still want to`,
  );
}

/**
 * Cancels every order for the image, no matter who asked for it: it cannot be both copied and deleted. False if there
 * was none.
 */
async function cancelAll(service: Service, uuid: string, cause: Cause): Promise<boolean> {
  const live = (await ordersOf(service, uuid, undefined)).filter((order) => order.live && order.image === uuid);
  for (const order of live) await endOrder(service, order.uuid, { event: 'cancel', cause });
  return live.length > 0;
}
