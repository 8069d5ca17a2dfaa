/**
 * One call to one datacenter about its part of a fan-out, and what its answer makes of that part. Each may be repeated:
 * an order that was placed is answered again, and what has ended stays as it is.
 */
import { LinkCopy } from '#lib/api/schemas/link.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { withoutPlaces } from '#lib/text/without-places.ts';
import { linkClient } from '../../datacenters/links/link-client.ts';
import { findLink } from '../../datacenters/links/links.ts';
import { expectShape } from '../../datacenters/links/wire.ts';

import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CANCEL_MS, type NextCall, nextCall, withoutLeft } from './decide.ts';
import type { FanOutRecord, Target } from './model.ts';

/** For a whole answer. To place an order, the other side reads the manifests of the whole chain from here first. */
const TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Between two looks at a copy that goes on, and at one that waits for others. */
const LOOK_MS = 1000;
const LOOK_AT_VERIFIED_MS = 10_000;
/** Of an answer, in bytes. */
const MOST_BYTES = 16_384;

/** Undefined if there is nothing to ask. */
export async function askTarget(
  service: Service,
  fanOut: FanOutRecord,
  target: Target,
  signal: AbortSignal,
): Promise<Target | undefined> {
  const call = nextCall(fanOut, target);
  if (!call) return undefined;
  const asked: Asked = { service, fanOut, target, call };
  try {
    const answer = await send(service, fanOut, target, call, signal);
    return answer === 'unlinked' ? unlinked(asked) : heard(asked, answer);
  } catch (error) {
    signal.throwIfAborted();
    return refused(asked, error);
  }
}

/** One call, from which follows what its target becomes. */
interface Asked {
  readonly service: Service;
  readonly fanOut: FanOutRecord;
  readonly target: Target;
  readonly call: Exclude<NextCall, undefined>;
}

async function send(
  service: Service,
  { uuid, image, account, together, canceling, finish_by }: FanOutRecord,
  { datacenter, order, left_until }: Target,
  call: Exclude<NextCall, undefined>,
  signal: AbortSignal,
): Promise<LinkCopy | 'unlinked'> {
  const link = await findLink(service, datacenter);
  if (!link) return 'unlinked';
  const client = await linkClient(service, link.value);
  const ask = async (method: 'GET' | 'POST', path: string, query: Record<string, string> = {}) => {
    const full = `/link/copies${path}?${new URLSearchParams({ account, ...query })}`;
    const answer = await client.json({ method, path: full, signal, timeout: TIMEOUT_MS, maxBytes: MOST_BYTES });
    return expectShape(answer, LinkCopy, `datacenter "${datacenter}"`);
  };
  // One that is placed only to be canceled shows nothing, should that take long.
  const hold = String(together || canceling === true || left_until !== undefined);
  switch (call) {
    case 'order':
      return ask('POST', '', { image, fan_out: uuid, hold, ...(finish_by && { finish_by }) });
    case 'look':
      return ask('GET', `/${order}`);
    case 'release':
      return ask('POST', `/${order}/release`);
    case 'cancel':
      return ask('POST', `/${order}/cancel`);
  }
}

/** The target as it says it is. */
function heard(
  { service: { store }, target: { error: _, ...target }, target: before, call }: Asked,
  answer: LinkCopy,
): Target {
  const { order, state, held, verified, bytes_done, bytes_total, rate, error } = answer;
  const now = store.now();
  const isOver = state === 'succeeded' || state === 'failed' || state === 'canceled';
  if (before.left_until !== undefined) {
    const pause = call === 'order' ? 0 : LOOK_MS;
    return isOver ? withoutLeft({ ...before, order }) : { ...before, order, tries: 0, not_before: now + pause };
  }
  const isHeld = !isOver && held && verified;
  // What was told to show it is not taken back while it does so.
  const isVerified = isHeld || call === 'release';
  return {
    ...target,
    order,
    state: isOver ? state : isVerified ? 'verified' : 'copying',
    ...{ bytes_done, bytes_total, rate: isOver ? 0 : rate },
    tries: 0,
    not_before: now + (isHeld && call !== 'release' ? LOOK_AT_VERIFIED_MS : LOOK_MS),
    heard_at: now,
    ...(error && { error }),
  };
}

function unlinked(asked: Asked): Target {
  const error = { code: 'NotLinked', message: 'it is not linked any more' };
  return asked.target.left_until === undefined ? failed(asked, error, true) : again(asked, error);
}

/** Whether it is asked again, and when. */
function refused(asked: Asked, error: unknown): Target {
  const { target, call } = asked;
  const { code, message } = failureOf(error);
  const answered = error instanceof ImgapiError ? error : { code, message };
  // The account reads it, and whoever lists the orders of all.
  const told = { code: answered.code, message: withoutPlaces(answered.message).replace(/\p{Cc}+/gu, ' ') };
  const status = error instanceof ImgapiError ? error.statusCode : undefined;
  // The order is not known there any more: it is placed again, unless that is what was to be ended.
  if (status === 404 && call !== 'order') {
    if (target.left_until !== undefined) return withoutLeft(target);
    if (call === 'cancel') return { ...target, state: 'canceled', rate: 0 };
    const { order: _, ...unplaced } = target;
    return again({ ...asked, target: { ...unplaced, state: 'waiting', rate: 0 } }, told);
  }
  const isFinal = status !== undefined && status >= 400 && status < 500 && ![401, 408, 409, 429].includes(status);
  const isLasting = call === 'cancel' || call === 'release' || target.left_until !== undefined;
  // The first call that is refused has placed nothing.
  if (isFinal && !isLasting) return failed(asked, told, call !== 'order' || target.tries > 1);
  return again(asked, told);
}

function again(asked: Asked, error: NonNullable<Target['error']>): Target {
  const { service, fanOut, target, call } = asked;
  const now = service.store.now();
  const { giveUpAfterSeconds } = service.config.copies;
  const tries = call === 'order' ? Math.max(1, target.tries) : target.tries + 1;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 20), LONGEST_PAUSE_MS);
  const paused = { ...target, tries, rate: 0, not_before: now + pause };
  if (target.left_until !== undefined) return paused;
  // One that is to show it is told until the whole order is given up.
  const isKept = fanOut.released && target.state === 'verified';
  if (isKept || now - target.heard_at <= giveUpAfterSeconds * 1000) return { ...paused, error };
  const message = `it did not answer for ${giveUpAfterSeconds} s: ${error.message}`;
  return failed({ ...asked, target: paused }, { code: 'GaveUp', message }, true);
}

/** @param mayBeThere an order of it; what it hides there, or was to be canceled, is canceled once that can be asked for */
function failed({ service, fanOut, target }: Asked, error: NonNullable<Target['error']>, mayBeThere: boolean): Target {
  const isLeft = mayBeThere && (fanOut.together || fanOut.canceling === true);
  return { ...target, state: 'failed', rate: 0, error, ...(isLeft && { left_until: service.store.now() + CANCEL_MS }) };
}
