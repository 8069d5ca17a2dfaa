/** Carries out fan-outs: asks their datacenters again and again, and writes down what they answer, until all have ended. */
import { JobRunner } from '#lib/documents/job-runner.ts';
import { LeaseLostError, newLease } from '#lib/documents/lease.ts';
import { type Change, unlessChanged, updateObject, updateWith } from '#lib/documents/update.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { fanOutMessages } from '../webhooks/messages.ts';
import { Asking } from './asking.ts';
import { concluded, nextAt, nextCall } from './decide.ts';
import { FAN_OUTS, type FanOutRecord, putFanOut, type Target, written } from './model.ts';

const STEP_MS = 500;
/** What has to wait longer is given back. */
const LONGEST_WAIT_MS = 3000;
const MOST_RUNNING = 100;
/** So that nobody takes all places, whose orders wait for a datacenter that is silent. */
const MOST_OF_ACCOUNT = 25;

export function startFanOuts(service: Service): JobRunner<FanOutRecord> {
  const { log, store } = service;
  return new JobRunner(service, {
    bucket: FAN_OUTS,
    most: MOST_RUNNING,
    isDue: (fanOut, running) =>
      nextAt(fanOut) <= store.now() &&
      running.filter(({ account }) => account === fanOut.account).length < MOST_OF_ACCOUNT,
    async claim({ value, etag }) {
      const { uuid } = value;
      const claimed = await unlessChanged(store.batch([putFanOut({ ...value, lease: leaseOf(service) }, etag)]));
      if (!claimed) return undefined;
      return { carryOut: (signal) => carry(service, uuid, signal), release: () => release(service, uuid) };
    },
    onFailed: (err) => log.error({ err }, 'cannot look for orders to other datacenters at the moment'),
    onBroken: (err, { uuid }) =>
      log.warn({ err, fan_out: uuid }, 'work on an order to other datacenters broke off; it goes on later'),
  });
}

/** Each datacenter is asked by itself: one that does not answer keeps no other one waiting. */
async function carry(service: Service, uuid: string, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const asking = new Asking(service, AbortSignal.any([signal, over.signal]));
  try {
    await carryWith(service, uuid, asking, signal);
  } finally {
    over.abort();
    await asking.ended();
  }
}

async function carryWith(service: Service, uuid: string, asking: Asking, signal: AbortSignal): Promise<void> {
  for (;;) {
    const now = service.store.now();
    const fanOut = await orderingCounted(service, uuid, asking, now);
    if (!fanOut?.live) return;
    await service.faults.reach('fan-out:asking');
    const answers = await asking.answers(fanOut, now);
    if (answers.size > 0) await service.faults.reach('fan-out:answered');
    const next = await noted(service, uuid, answers);
    if (next?.released) await service.faults.reach('fan-out:released');
    if (!next?.live) {
      service.log.info({ fan_out: uuid, image: fanOut.image, state: next?.state }, 'order to other datacenters ended');
      return;
    }
    // Meanwhile others have the place.
    if (nextAt(next) > service.store.now() + LONGEST_WAIT_MS) return;
    await pause(STEP_MS, signal);
  }
}

/**
 * Counts the orders that are about to be placed. If this process dies meanwhile, they may be there, and to cancel them takes
 * a call. @throws LeaseLostError
 */
async function orderingCounted(
  service: Service,
  uuid: string,
  asking: Asking,
  now: number,
): Promise<FanOutRecord | undefined> {
  const updated = await updateWith(service.store, FAN_OUTS, uuid, ({ value: fanOut }) => {
    if (!fanOut.live) return undefined;
    assertOwn(service, fanOut);
    const isOrdered = (target: Target) =>
      nextCall(fanOut, target) === 'order' && target.not_before <= now && !asking.isAsking(target.datacenter);
    if (!fanOut.targets.some(isOrdered)) return undefined;
    // Canceled before anything was ordered: that takes no call.
    const { targets, ...next } = concluded(fanOut, now);
    const counted = targets.map((target) =>
      nextCall({ ...next, targets }, target) === 'order' && isOrdered(target)
        ? { ...target, tries: target.tries + 1 }
        : target,
    );
    return told(service, fanOut, { ...next, targets: counted });
  });
  return updated?.value;
}

function assertOwn({ worker }: Service, { lease }: FanOutRecord): void {
  if (lease?.worker !== worker) throw new LeaseLostError('another process has the order now');
}

/** Writes down what was answered; a target that a request has changed meanwhile keeps that. @throws LeaseLostError */
async function noted(
  service: Service,
  uuid: string,
  answers: ReadonlyMap<Target, Target | undefined>,
): Promise<FanOutRecord | undefined> {
  const answered = new Map([...answers].map(([before, after]) => [before.datacenter, { before, after }]));
  const updated = await updateWith(service.store, FAN_OUTS, uuid, ({ value: fanOut }) => {
    assertOwn(service, fanOut);
    const targets = fanOut.targets.map((target) => {
      const answer = answered.get(target.datacenter);
      const isSame = answer?.before.state === target.state && answer.before.order === target.order;
      return (isSame && answer.after) || target;
    });
    const next = concluded({ ...fanOut, targets }, service.store.now());
    const isNews =
      next.live !== fanOut.live ||
      next.released !== fanOut.released ||
      next.canceling !== fanOut.canceling ||
      next.targets.some((one, at) => one !== fanOut.targets[at]);
    if (!isNews && !isHalfOver(service, fanOut)) return undefined;
    return told(service, fanOut, next.live ? { ...next, lease: leaseOf(service) } : next);
  });
  return updated?.value;
}

/** The write of what it has become, and what webhooks are told of that. */
function told(service: Service, before: FanOutRecord, after: FanOutRecord): Change<FanOutRecord> {
  return { value: written(after), also: fanOutMessages(service, before, after) };
}

/** Another process may go on at once. */
async function release(service: Service, uuid: string): Promise<void> {
  await updateObject(service.store, FAN_OUTS, uuid, ({ lease, ...rest }) =>
    lease?.worker === service.worker && rest.live ? written(rest) : undefined,
  ).catch((err: unknown) => service.log.info({ err, fan_out: uuid }, 'the lease of an order is left to run out'));
}

function leaseOf({ config, worker, store }: Service) {
  return newLease(worker, config.tasks.leaseSeconds, store.now());
}

function isHalfOver({ store }: Service, { lease }: FanOutRecord): boolean {
  return lease === undefined || lease.until - store.now() < (lease.length ?? 0) / 2;
}
