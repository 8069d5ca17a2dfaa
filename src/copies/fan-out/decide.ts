/** What follows from the states of the targets: whether to show the image, and how the whole order ends. */
import { type FanOutRecord, isTargetFinal, type Target } from './model.ts';

/** For how long datacenters are asked to cancel what they were to copy. */
export const CANCEL_MS = 24 * 3600_000;

/** The call that a target needs next; undefined: none. */
export type NextCall = 'order' | 'look' | 'release' | 'cancel' | undefined;

export function nextCall(fanOut: FanOutRecord, target: Target): NextCall {
  const isLeft = target.left_until !== undefined;
  if (isTargetFinal(target) && !isLeft) return undefined;
  // An order whose answer was lost may be there: it is placed again, to be canceled by its name.
  if (target.order === undefined) return 'order';
  if (isLeft) return 'cancel';
  // What is shown somewhere is not taken back any more.
  if (target.state === 'verified' && fanOut.released) return 'release';
  return fanOut.canceling ? 'cancel' : 'look';
}

/** The record with all that follows from its targets. @param now milliseconds, by the store's clock */
export function concluded(fanOut: FanOutRecord, now: number): FanOutRecord {
  const isLate = now >= fanOut.gives_up_at;
  const canceling = isLate || fanOut.canceling === true;
  // Whoever has not confirmed the end within a day never will.
  const end = isLate && fanOut.canceling ? unconfirmed : notOrdered;
  const kept = fanOut.targets.map((target) => ((target.left_until ?? Infinity) <= now ? withoutLeft(target) : target));
  if (fanOut.state !== 'running') return ended({ ...fanOut, targets: kept });
  const targets = canceling ? kept.map(end) : kept;
  const isReady = targets.every(({ state }) => state === 'verified' || state === 'succeeded');
  const released = fanOut.together && (fanOut.released === true || (isReady && !canceling));
  const next: FanOutRecord = {
    ...fanOut,
    targets: released && !fanOut.released ? targets.map(dueNow) : targets,
    ...(isLate && !fanOut.canceling && { gives_up_at: now + CANCEL_MS }),
    ...(canceling && { canceling }),
    ...(released && { released }),
  };
  // With `together`, those that have verified it wait for a retry of those that failed.
  if (!targets.every(isTargetFinal)) return next;
  const { canceling: _, ...rest } = next;
  const state = targets.every((target) => target.state === 'succeeded')
    ? 'succeeded'
    : canceling
      ? 'canceled'
      : 'failed';
  return ended({ ...rest, state, finished_at: new Date(now).toISOString() });
}

function ended(fanOut: FanOutRecord): FanOutRecord {
  if (fanOut.targets.some(({ left_until }) => left_until !== undefined)) return fanOut;
  const { lease: _, ...rest } = fanOut;
  return { ...rest, live: false };
}

/** Nothing is left there that it could be asked to cancel. */
export function withoutLeft({ left_until: _, ...target }: Target): Target {
  return target;
}

/** What no datacenter has heard of needs no call to be canceled. */
function notOrdered(target: Target): Target {
  const mayBeThere = target.order !== undefined || target.tries > 0;
  return isTargetFinal(target) || mayBeThere ? target : { ...target, state: 'canceled', rate: 0 };
}

function unconfirmed(target: Target): Target {
  if (isTargetFinal(target)) return target;
  const error = { code: 'GaveUp', message: 'it did not confirm that the copy is canceled' };
  return { ...target, state: 'failed', rate: 0, error };
}

function dueNow(target: Target): Target {
  return { ...target, not_before: 0 };
}

/** When a target is to be asked next, in milliseconds by the store's clock; Infinity: never. */
export function nextAt(fanOut: FanOutRecord): number {
  return Math.min(...fanOut.targets.filter((one) => nextCall(fanOut, one)).map(({ not_before }) => not_before));
}
