/**
 * The end of an order that fails or is canceled. The order and its images change in one batch. If another live order
 * needs an image, this order is only taken off the list of its transfer.
 *
 * A failed order leaves its placeholders, marked as failed, and their bytes for whoever orders the images again; a
 * canceled order leaves nothing.
 */

import { isFinal } from '#lib/api/copy-states.ts';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Stored, Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import type { Cause } from '../../images/events/event.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { putRecord } from '../../images/record/record-write.ts';
import { buried, finishDelete } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import type { CopyFailure } from '../documents/failures.ts';
import {
  COPIES,
  type CopyOrder,
  deleteTransfer,
  type MemberResult,
  type OrderMember,
  putOrder,
  putTransfer,
  TRANSFERS,
  type Transfer,
} from '../documents/model.ts';
import { nextOrderState, nextTransferState } from '../documents/states.ts';
import { orderEvents } from './order-events.ts';
import { failedPlaceholder } from './placeholder.ts';
import { endOfPull } from './pull-ends.ts';
import { discardStaging } from './remove-placeholder.ts';

export type Ending =
  | {
      readonly event: 'cancel';
      /** Who cancels it; absent: whoever ordered it. */
      readonly cause?: Cause;
      /** Throws if the caller may not cancel the order. Called with the contents that are about to be changed. */
      readonly assertCancelable?: (contents: OrderContents) => void;
    }
  | {
      readonly event: 'fail';
      readonly failure: CopyFailure;
      /** The member that failed. */
      readonly image: string;
      /** If given, the order fails only if this attempt is still the latest. */
      readonly attempt?: Pick<Transfer, 'id' | 'attempt'>;
    };

/** An order with its transfers and records, as they were read. */
export interface OrderContents {
  readonly order: Stored<CopyOrder>;
  readonly transfers: ReadonlyMap<string, Stored<Transfer>>;
  readonly records: ReadonlyMap<string, StoredImage>;
}

export async function readOrder(service: Service, uuid: string): Promise<OrderContents | undefined> {
  const order = await service.store.get(COPIES, uuid);
  return order && withContents(service, order);
}

async function withContents(service: Service, order: Stored<CopyOrder>): Promise<OrderContents> {
  const { images } = order.value;
  const [transfers, records] = await Promise.all([
    service.store.getMany(TRANSFERS, images),
    service.store.getMany(IMAGES, images),
  ]);
  return {
    order,
    transfers: new Map(transfers.map((stored) => [stored.key, stored])),
    records: new Map(records.map((stored) => [stored.key, stored])),
  };
}

/**
 * Returns the order as it ended. An order that has already ended is left as it is.
 * @throws 409 CopyAlreadyFinished if an order that has ended is to be canceled
 */
export async function endOrder(service: Service, uuid: string, ending: Ending): Promise<CopyOrder | undefined> {
  // The order's transfers are written at every heartbeat, so conflicts are expected.
  const { order, released } = await retryOnConflict(() => writeEnd(service, uuid, ending));
  if (!order || !released) return order;
  service.log.info({ order: uuid, state: order.state, err: order.error }, 'copy ended');
  await cleanUp(service, released);
  return order;
}

interface End {
  /** Absent: there is no such order. */
  readonly order?: CopyOrder;
  /** Absent: the order was left as it is. */
  readonly released?: readonly Released[];
}

async function writeEnd(service: Service, uuid: string, ending: Ending): Promise<End> {
  const contents = await readOrder(service, uuid);
  if (!contents) return {};
  const { value: order } = contents.order;
  if (isFinal(order.state)) {
    if (ending.event === 'cancel') throw alreadyFinished(order);
    return { order };
  }
  if (ending.event === 'cancel') ending.assertCancelable?.(contents);
  if (isOvertaken(contents, ending)) return { order };
  const released = order.members.map((member) => release(service, contents, member, ending));
  const ended = endedOrder(service, order, ending, released);
  const ownerOf = (image: string) => contents.records.get(image)?.value.owner;
  const told =
    ending.event === 'cancel'
      ? orderEvents(service, 'copy-canceled', ended, ownerOf, ending.cause)
      : orderEvents(service, 'copy-failed', ended, ownerOf);
  const writes = [putOrder(ended, contents.order.etag), ...released.flatMap((one) => one.writes), ...told];
  await service.store.batch(writes, { frees: ending.event === 'cancel' });
  return { order: ended, released };
}

function alreadyFinished(order: CopyOrder): ApiError {
  return new ApiError('CopyAlreadyFinished', `the copy of image "${order.image}" has already ended: ${order.state}`);
}

/** A worker that was paused may report the failure of an attempt that is no longer the latest. */
function isOvertaken({ transfers }: OrderContents, ending: Ending): boolean {
  if (ending.event !== 'fail' || !ending.attempt) return false;
  const transfer = transfers.get(ending.image)?.value;
  return transfer?.id !== ending.attempt.id || transfer.attempt !== ending.attempt.attempt;
}

/** What happens to one member, and the transfer whose leftovers to remove once that is written. */
interface Released {
  readonly writes: readonly Write[];
  readonly result: MemberResult;
  readonly removed?: Transfer;
}

function release(service: Service, contents: OrderContents, member: OrderMember, ending: Ending): Released {
  const { value: order } = contents.order;
  const transfer = contents.transfers.get(member.uuid);
  const record = contents.records.get(member.uuid);
  const result = resultOf(contents, member, ending);
  if (!transfer) return { writes: [], result };
  const others = transfer.value.orders.filter((uuid) => uuid !== order.uuid);
  if (others.length > 0) return { writes: [putTransfer({ ...transfer.value, orders: others }, transfer.etag)], result };
  const placeholder = record?.value.copy ? record : undefined;
  if (ending.event === 'cancel') {
    const gone = placeholder ? [buried(placeholder)] : [];
    const writes = [deleteTransfer(transfer), ...gone, ...endOfPull(service, transfer.value)];
    return { writes, result, removed: transfer.value };
  }
  const own = ending.image === member.uuid ? ending.failure : undefined;
  const hasLeft = own !== undefined && ending.attempt !== undefined;
  const failure = own ?? otherFailed(contents, member.uuid, ending);
  const failed = placeholder ? [putRecord(failedPlaceholder(placeholder.value, failure), placeholder.etag)] : [];
  const kept = putTransfer(failedTransfer(service, transfer.value, failure, hasLeft), transfer.etag);
  return { writes: [kept, ...failed, ...endOfPull(service, transfer.value)], result };
}

/** An operator's import may include images of several accounts. None of them learns about another's image. */
function otherFailed(
  { order, records }: OrderContents,
  uuid: string,
  { image, failure: { code, message } }: Extract<Ending, { event: 'fail' }>,
): CopyFailure {
  const isOwn = records.get(uuid)?.value.owner === records.get(image)?.value.owner;
  if (order.value.account === undefined && !isOwn) {
    return { code, message: 'another image of the same copy failed' };
  }
  return { code, message: `image "${image}", copied together with this one, failed: ${message}` };
}

/** @param hasLeft whether the attempt that was running has said so itself; otherwise it learns it later, and still writes */
function failedTransfer(service: Service, transfer: Transfer, failure: CopyFailure, hasLeft: boolean): Transfer {
  // The pull link ends too; a new order asks for a new one.
  const { lease, rate: _rate, pull: _pull, ...rest } = transfer;
  return {
    ...rest,
    ...(lease && !hasLeft && { writer_unknown: true }),
    state: nextTransferState(transfer.state, 'fail'),
    live: false,
    orders: [],
    error: failure,
    ended_at: new Date(service.store.now()).toISOString(),
  };
}

function resultOf({ transfers, records }: OrderContents, { uuid, size }: OrderMember, ending: Ending): MemberResult {
  const transfer = transfers.get(uuid)?.value;
  const state = ending.event === 'cancel' ? 'canceled' : 'failed';
  if (!transfer) {
    const usable = records.get(uuid)?.value.activated ?? false;
    return usable ? { state: 'succeeded', bytes: size, attempt: 0 } : { state, bytes: 0, attempt: 0 };
  }
  const { bytes, attempt, via, note } = transfer;
  const error = ending.event === 'fail' && ending.image === uuid ? ending.failure : undefined;
  return {
    state,
    bytes,
    attempt,
    ...(via && { via }),
    ...(error && { error }),
    ...(note !== undefined && { note }),
  };
}

function endedOrder(service: Service, order: CopyOrder, ending: Ending, released: readonly Released[]): CopyOrder {
  return {
    ...order,
    state: nextOrderState(order.state, ending.event),
    live: false,
    finished_at: new Date(service.store.now()).toISOString(),
    members: order.members.map((member, index) => {
      const result = released[index]?.result;
      return result ? { ...member, result } : member;
    }),
    ...(ending.event === 'fail' && { error: ending.failure }),
  };
}

/** If a crash interrupts this, the periodic tasks remove the tombstones and the staging that are left. */
async function cleanUp(service: Service, released: readonly Released[]): Promise<void> {
  for (const { removed } of released) {
    if (!removed) continue;
    try {
      await finishDelete(service, removed.image);
    } catch (error) {
      service.log.warn({ err: error, image: removed.image }, 'a canceled placeholder is left to the periodic task');
    }
    await discardStaging(service, removed);
  }
}
