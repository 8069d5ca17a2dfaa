/**
 * Carries out the jobs that make images from machines, each in one process at a time. Any process may take any job: it
 * looks for those that nobody holds when it starts, when a request here has written one, and by a timer.
 */
import { isHeld, LeaseLostError } from '#lib/documents/lease.ts';
import { startInterval } from '#lib/runtime/timers.ts';
import type { Service } from '../service/service.ts';
import { carryOut } from './carry-out.ts';
import { HeldJob } from './held-job.ts';
import { IMAGE_JOBS } from './model.ts';

export interface ImageMaker {
  /** Looks for new jobs now. */
  nudge(): void;
  /** Gives the jobs of this process back; others go on with them at once. */
  stop(): Promise<void>;
}

const POLL_MS = 5000;
/** Jobs at once in this process: each asks CNAPI every few seconds. */
const MOST_RUNNING = 500;

export function startImageMaker(service: Service): ImageMaker {
  const maker = new Maker(service);
  const timer = startInterval(() => maker.nudge(), POLL_MS);
  maker.nudge();
  return {
    nudge: () => maker.nudge(),
    async stop() {
      timer.stop();
      await maker.stop();
    },
  };
}

class Maker {
  readonly #service: Service;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #look: Promise<void> | undefined;
  #again = false;
  #wasOk = true;

  constructor(service: Service) {
    this.#service = service;
  }

  nudge(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#look !== undefined) {
      this.#again = true;
      return;
    }
    this.#look = this.#lookSafely().finally(() => {
      this.#look = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.nudge();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#look;
    await Promise.all(this.#running.values());
  }

  async #lookSafely(): Promise<void> {
    try {
      await this.#lookForJobs();
      this.#wasOk = true;
    } catch (error) {
      // While the store is down every look fails; only the first failure is logged.
      if (this.#wasOk) this.#service.log.error({ err: error }, 'cannot look for images to make at the moment');
      this.#wasOk = false;
    }
  }

  async #lookForJobs(): Promise<void> {
    const { store } = this.#service;
    const filter = { op: 'eq', field: 'live', value: true } as const;
    for await (const found of store.scan(IMAGE_JOBS, { filter })) {
      for (const stored of found) {
        if (this.#stopping.signal.aborted || this.#running.size >= MOST_RUNNING) return;
        if (this.#running.has(stored.key) || isHeld(stored.value.lease, store.now())) continue;
        const held = await HeldJob.claim(this.#service, stored);
        if (held) this.#run(held);
      }
    }
  }

  #run(held: HeldJob): void {
    const { uuid } = held.job;
    this.#running.set(
      uuid,
      this.#carry(held).finally(() => this.#running.delete(uuid)),
    );
  }

  async #carry(held: HeldJob): Promise<void> {
    const { uuid: job, image } = held.job;
    const signal = AbortSignal.any([this.#stopping.signal, held.signal]);
    try {
      await carryOut(this.#service, held, signal);
    } catch (err) {
      const isOurs = !this.#stopping.signal.aborted && !(err instanceof LeaseLostError);
      if (isOurs) this.#service.log.warn({ err, job, image }, 'work on a job broke off; it will go on');
    } finally {
      await held.release();
    }
  }
}
