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
import { type NextCall, nextCall } from './decide.ts';
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

/** Undefined if there is nothing to ask now. */
export async function askTarget(
  service: Service,
  fanOut: FanOutRecord,
  target: Target,
  signal: AbortSignal,
): Promise<Target | undefined> {
  const call = nextCall(fanOut, target);
  if (!call || service.store.now() < target.not_before) return undefined;
  try {
    const answer = await send(service, fanOut, target, call, signal);
    return answer === 'unlinked'
      ? failed(target, 'NotLinked', 'it is not linked any more')
      : heard(service, target, answer);
  } catch (error) {
    signal.throwIfAborted();
    return refused(service, target, call, error);
  }
}

async function send(
  service: Service,
  { uuid, image, account, together, finish_by }: FanOutRecord,
  { datacenter, order }: Target,
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
  switch (call) {
    case 'order':
      return ask('POST', '', { image, fan_out: uuid, hold: String(together), ...(finish_by && { finish_by }) });
    case 'look':
      return ask('GET', `/${order}`);
    case 'release':
      return ask('POST', `/${order}/release`);
    case 'cancel':
      return ask('POST', `/${order}/cancel`);
  }
}

/** The target as it says it is. */
function heard({ store }: Service, { error: _, ...target }: Target, answer: LinkCopy): Target {
  const { order, state, held, verified, bytes_done, bytes_total, rate, error } = answer;
  const now = store.now();
  const isOver = state === 'succeeded' || state === 'failed' || state === 'canceled';
  const isVerified = !isOver && held && verified;
  return {
    ...target,
    order,
    state: isOver ? state : isVerified ? 'verified' : 'copying',
    ...{ bytes_done, bytes_total, rate: isOver ? 0 : rate },
    tries: 0,
    not_before: now + (isVerified ? LOOK_AT_VERIFIED_MS : LOOK_MS),
    heard_at: now,
    ...(error && { error }),
  };
}

/** Whether it is asked again, and when. */
function refused(service: Service, target: Target, call: NextCall, error: unknown): Target {
  const { code, message } = failureOf(error);
  const answered = error instanceof ImgapiError ? error : { code, message };
  // The account reads it, and whoever lists the orders of all.
  const told = { code: answered.code, message: withoutPlaces(answered.message).replace(/\p{Cc}+/gu, ' ') };
  const status = error instanceof ImgapiError ? error.statusCode : undefined;
  // The order is not known there any more: it is placed again, unless that is what was to be ended.
  if (status === 404 && call !== 'order') {
    if (call === 'cancel') return { ...target, state: 'canceled', rate: 0 };
    const { order: _, ...unplaced } = target;
    return again(service, { ...unplaced, state: 'waiting', rate: 0 }, told);
  }
  const isFinal = status !== undefined && status >= 400 && status < 500 && ![401, 408, 409, 429].includes(status);
  if (isFinal && call !== 'cancel') return failed(target, told.code, told.message);
  return again(service, target, told);
}

function again({ store, config }: Service, target: Target, error: NonNullable<Target['error']>): Target {
  const now = store.now();
  if (now - target.heard_at > config.copies.giveUpAfterSeconds * 1000) {
    return failed(target, 'GaveUp', `it did not answer for ${config.copies.giveUpAfterSeconds} s: ${error.message}`);
  }
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(target.tries, 20), LONGEST_PAUSE_MS);
  return { ...target, rate: 0, error, tries: target.tries + 1, not_before: now + pause };
}

function failed(target: Target, code: string, message: string): Target {
  return { ...target, state: 'failed', rate: 0, error: { code, message } };
}
