/**
 * The state machines of orders and transfers, as tables: state × event → next state. A move that is not in a table
 * cannot happen, and asking for it is a bug. The docs print these tables and the tests check every move.
 *
 * An order:
 * - `queued`: recorded; no worker has started on any of its images.
 * - `running`: a worker has started on at least one of its images.
 * - `succeeded`: all its images became usable, in one batch with this state.
 * - `failed`: one of its images cannot be copied. `canceled`: somebody canceled it.
 *
 * A transfer:
 * - `queued`: waits for a worker, and is not claimed before `retry.not_before`.
 * - `running`: a worker holds its lease. When the lease runs out, it may be claimed like a queued one.
 * - `received`: the verified file is in its place and in the placeholder's record; it waits for the rest of its order.
 * - `failed`: no live order lists it, because it failed for good or because another member of its order did. The
 *   placeholder and the bytes are kept for a while, for whoever orders the image again.
 * - `gone`: the document is removed, because the image became usable, the copy was canceled, or it failed and nobody
 *   ordered it again.
 */

import type { CopyState } from '#lib/api/schemas/copy.ts';

export const ORDER_EVENTS = ['start', 'commit', 'fail', 'cancel'] as const;
export type OrderEvent = (typeof ORDER_EVENTS)[number];

export const ORDER_MOVES: Readonly<Record<CopyState, Readonly<Partial<Record<OrderEvent, CopyState>>>>> = {
  // An order succeeds without ever running if no bytes had to move, or if another order brought its images.
  queued: { start: 'running', commit: 'succeeded', fail: 'failed', cancel: 'canceled' },
  running: { start: 'running', commit: 'succeeded', fail: 'failed', cancel: 'canceled' },
  succeeded: {},
  failed: {},
  canceled: {},
};

export const TRANSFER_STATES = ['queued', 'running', 'received', 'failed', 'gone'] as const;
export type StoredTransferState = Exclude<(typeof TRANSFER_STATES)[number], 'gone'>;
export type TransferState = StoredTransferState;

export const TRANSFER_EVENTS = [
  'claim',
  'release',
  'receive',
  'fail',
  'order-again',
  'commit',
  'cancel',
  'expire',
] as const;
export type TransferEvent = (typeof TRANSFER_EVENTS)[number];

export const TRANSFER_MOVES: Readonly<
  Record<(typeof TRANSFER_STATES)[number], Readonly<Partial<Record<TransferEvent, (typeof TRANSFER_STATES)[number]>>>>
> = {
  queued: { claim: 'running', fail: 'failed', cancel: 'gone' },
  // `claim`: the lease ran out. `release`: to try again later, or because the process stops.
  running: { claim: 'running', release: 'queued', receive: 'received', fail: 'failed', cancel: 'gone' },
  // `fail`: another member of its order failed.
  received: { fail: 'failed', commit: 'gone', cancel: 'gone' },
  failed: { 'order-again': 'queued', cancel: 'gone', expire: 'gone' },
  gone: {},
};

/** @throws if the table has no such move */
export function nextOrderState(state: CopyState, event: OrderEvent): CopyState {
  const next = ORDER_MOVES[state][event];
  if (!next) throw new Error(`a copy order that is ${state} cannot ${event}`);
  return next;
}

/** @throws if the table has no such move, or if it leads to `gone`, which is never stored */
export function nextTransferState(state: TransferState, event: TransferEvent): TransferState {
  const next = TRANSFER_MOVES[state][event];
  if (!next || next === 'gone') throw new Error(`a transfer that is ${state} cannot ${event}`);
  return next;
}
