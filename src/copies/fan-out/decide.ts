/** What follows from the states of the targets: whether to show the image, and how the whole order ends. */
import { type FanOutRecord, isTargetFinal, type Target } from './model.ts';

/** The call that a target needs next; undefined: none. */
export type NextCall = 'order' | 'look' | 'release' | 'cancel' | undefined;

export function nextCall(fanOut: FanOutRecord, target: Target): NextCall {
  if (isTargetFinal(target)) return undefined;
  // An order whose answer was lost may be there: it is placed again, to be canceled by its name.
  if (target.order === undefined) return 'order';
  if (fanOut.canceling) return 'cancel';
  return target.state === 'verified' && fanOut.released ? 'release' : 'look';
}

/** The record with all that follows from its targets. @param now milliseconds, by the store's clock */
export function concluded(fanOut: FanOutRecord, now: number): FanOutRecord {
  const late = now >= fanOut.gives_up_at && !fanOut.canceling;
  const canceling = late || fanOut.canceling === true;
  const targets = canceling ? fanOut.targets.map(notOrdered) : fanOut.targets;
  const isReady = targets.every(({ state }) => state === 'verified' || state === 'succeeded');
  const released = fanOut.together && (fanOut.released === true || (isReady && !canceling));
  const next: FanOutRecord = {
    ...fanOut,
    targets,
    ...(canceling && { canceling }),
    ...(released && { released }),
  };
  // With `together`, those that have verified it wait for a retry of those that failed.
  if (!targets.every(isTargetFinal)) return next;
  const { lease: _, canceling: __, ...rest } = next;
  const state = targets.every((target) => target.state === 'succeeded')
    ? 'succeeded'
    : canceling
      ? 'canceled'
      : 'failed';
  return { ...rest, state, live: false, finished_at: new Date(now).toISOString() };
}

/** What no datacenter has heard of needs no call to be canceled. */
function notOrdered(target: Target): Target {
  const mayBeThere = target.order !== undefined || target.tries > 0;
  return isTargetFinal(target) || mayBeThere ? target : { ...target, state: 'canceled', rate: 0 };
}
