/** Carries out fan-outs: asks their datacenters again and again, and writes down what they answer, until all have ended. */
import { JobRunner } from '#lib/documents/job-runner.ts';
import { LeaseLostError, newLease } from '#lib/documents/lease.ts';
import { unlessChanged, updateObject } from '#lib/documents/update.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { Asking } from './asking.ts';
import { concluded, nextAt } from './decide.ts';
import { FAN_OUTS, type FanOutRecord, isTargetFinal, putFanOut, type Target, written } from './model.ts';

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
    const fanOut = (await service.store.get(FAN_OUTS, uuid))?.value;
    if (!fanOut?.live) return;
    const next = await noted(service, uuid, asking, await asking.answers(fanOut));
    if (!next?.live) {
      service.log.info({ fan_out: uuid, image: fanOut.image, state: next?.state }, 'order to other datacenters ended');
      return;
    }
    // Meanwhile others have the place.
    if (nextAt(next) > service.store.now() + LONGEST_WAIT_MS) return;
    await pause(STEP_MS, signal);
  }
}

/** Writes down what was answered; a target that a request has changed meanwhile keeps that. @throws LeaseLostError */
async function noted(
  service: Service,
  uuid: string,
  asking: Asking,
  answers: ReadonlyMap<Target, Target | undefined>,
): Promise<FanOutRecord | undefined> {
  const answered = new Map([...answers].map(([before, after]) => [before.datacenter, { before, after }]));
  const updated = await updateObject(service.store, FAN_OUTS, uuid, (fanOut) => {
    if (fanOut.lease?.worker !== service.worker) throw new LeaseLostError('another process has the order now');
    const targets = fanOut.targets.map((target) => {
      const answer = answered.get(target.datacenter);
      const isSame = answer?.before.state === target.state && answer.before.order === target.order;
      const now = (isSame && answer.after) || target;
      return asking.isAsking(target.datacenter) ? maybeThere(now) : now;
    });
    const next = concluded({ ...fanOut, targets }, service.store.now());
    const isNews =
      next.live !== fanOut.live ||
      next.released !== fanOut.released ||
      targets.some((one, at) => one !== fanOut.targets[at]);
    if (!isNews && !isHalfOver(service, fanOut)) return undefined;
    return written(next.live ? { ...next, lease: leaseOf(service) } : next);
  });
  return updated?.value;
}

/** What is being ordered may be there before it is answered: to cancel it takes a call. */
function maybeThere(target: Target): Target {
  return target.order === undefined && target.tries === 0 && !isTargetFinal(target) ? { ...target, tries: 1 } : target;
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
