/**
 * Orders that have to end by a certain time. What they need to be in time decides their share of the link (`shares.ts`); when
 * it is seen that they cannot be, that is said once.
 */
import { validationFailed } from '#lib/api/errors/api-error.ts';
import type { Stored, WithStore } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { COPIES, type CopyOrder, putOrder, putTransfer, TRANSFERS, type Transfer } from '../documents/model.ts';
import { orderEvents } from './order-events.ts';

export interface Claim {
  /** The transfer. */
  readonly image: string;
  /** Bytes per second that it needs to be in time; 0 if there is no such time. */
  readonly need: number;
}

/** How much more than it needs it gets, because rates are measured late. */
const MARGIN = 1.1;
/** Milliseconds that an order runs before its rate says anything. */
const SETTLING_MS = 15_000;

/** The time by which a copy is to end, as an ISO date; undefined if there is none. @throws 422 ValidationFailed finish_by */
export function finishByOf(given: string | undefined, now: number): string | undefined {
  const deadline = deadlineOf(given);
  if (deadline === undefined || Date.parse(deadline) > now) return deadline;
  const is = `finish_by is ${JSON.stringify(given)}`;
  throw validationFailed('finish_by', `${is}, which has passed; it is ${new Date(now).toISOString()} now`);
}

/** The same, also of a time that has passed. @throws 422 ValidationFailed finish_by */
export function deadlineOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const time = Date.parse(given);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  const is = `finish_by is ${JSON.stringify(given)}`;
  throw validationFailed('finish_by', `${is}; it must be a date, such as 2026-01-31T12:00:00Z`);
}

/** Somebody asks again for an image that is being copied, and now by a certain time. @throws EtagConflictError */
export async function moveDeadline(service: WithStore, uuid: string, finish_by: string): Promise<CopyOrder> {
  const stored = await service.store.get(COPIES, uuid);
  if (!stored) throw new Error(`order ${uuid} is gone`);
  const { late_at: _, ...order } = stored.value;
  if (!order.live || order.finish_by === finish_by) return stored.value;
  const transfers = (await service.store.getMany(TRANSFERS, order.images)).filter(({ value }) => value.live);
  const moved = { ...order, finish_by };
  const flagged = transfers.map(({ value, etag }) => putTransfer({ ...value, has_deadline: true }, etag));
  await service.store.batch([putOrder(moved, stored.etag), ...flagged]);
  return { ...moved, rev: moved.rev + 1 };
}

/** What each of the transfers, all of one link and all that run there, needs so that its orders are in time. */
export async function claimsOf({ store }: WithStore, running: readonly Transfer[]): Promise<Claim[]> {
  const uuids = [...new Set(running.filter((one) => one.has_deadline).flatMap(({ orders }) => orders))];
  const orders = uuids.length === 0 ? [] : await store.getMany(COPIES, uuids);
  const due = orders.map(({ value }) => value).filter(({ live, finish_by }) => live && finish_by !== undefined);
  const images = [...new Set(due.flatMap((order) => order.images))];
  const found = images.length === 0 ? [] : await store.getMany(TRANSFERS, images);
  const transfers = new Map(found.map(({ key, value }) => [key, value]));
  const needs = new Map<string, number>();
  for (const order of due) {
    // A time that has passed raises nothing any more.
    const left = (Date.parse(order.finish_by ?? '') - store.now()) / 1000;
    const carriers = running.filter(({ image }) => order.images.includes(image));
    if (left <= 0) continue;
    const need = (remainingOf(order, transfers) / left / carriers.length) * MARGIN;
    for (const { image } of carriers) needs.set(image, Math.max(need, needs.get(image) ?? 0));
  }
  return running.map(({ image }) => ({ image, need: needs.get(image) ?? 0 }));
}

/** Bytes that are not here yet. */
function remainingOf({ images }: Pick<CopyOrder, 'images'>, transfers: ReadonlyMap<string, Transfer>): number {
  return images.reduce((sum, image) => {
    const transfer = transfers.get(image);
    return transfer?.live && transfer.state !== 'received' ? sum + transfer.total - transfer.bytes : sum;
  }, 0);
}

/** Notes that the order cannot be in time, with an event, when that is first seen. Resolves to whether it was. */
export async function noteLateness(
  service: Service,
  { value: order, etag }: Stored<CopyOrder>,
  transfers: ReadonlyMap<string, Transfer>,
): Promise<boolean> {
  if (!isLate(order, transfers, service.store.now())) return false;
  const late = { ...order, late_at: new Date(service.store.now()).toISOString() };
  const owners = new Map(
    (await service.store.getMany(IMAGES, order.images)).map(({ key, value }) => [key, value.owner]),
  );
  const told = orderEvents(service, 'copy-late', late, (image) => owners.get(image));
  const isNoted = await unlessChanged(service.store.batch([putOrder(late, etag), ...told]));
  if (isNoted) {
    const { uuid, images, finish_by } = order;
    service.log.warn({ order: uuid, images, finish_by }, 'a copy will not end by the time that was asked for');
  }
  return Boolean(isNoted);
}

/** @param now milliseconds since the epoch */
function isLate(
  { live, finish_by, late_at, started_at, images }: CopyOrder,
  transfers: ReadonlyMap<string, Transfer>,
  now: number,
): boolean {
  if (!live || finish_by === undefined || late_at !== undefined) return false;
  const remaining = remainingOf({ images }, transfers);
  // All is here: whoever holds it back decides when it ends.
  if (remaining === 0) return false;
  const left = Date.parse(finish_by) - now;
  if (left <= 0) return true;
  if (started_at === undefined || now - Date.parse(started_at) < SETTLING_MS) return false;
  const rate = images.reduce((sum, image) => sum + (transfers.get(image)?.rate ?? 0), 0);
  return rate > 0 && (remaining / rate) * 1000 > left * MARGIN;
}
