/**
 * Carries out the jobs that make images from machines, each in one process at a time. Any process may take any job: it
 * looks for those that nobody holds when it starts, when a request here has written one, and by a timer.
 */
import { isHeld, LeaseLostError } from '#lib/documents/lease.ts';
import { Passes } from '#lib/runtime/passes.ts';
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
  return { nudge: () => maker.nudge(), stop: () => maker.stop() };
}

class Maker {
  readonly #service: Service;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #passes: Passes;

  constructor(service: Service) {
    this.#service = service;
    this.#passes = new Passes({
      run: () => this.#lookForJobs(),
      everyMs: POLL_MS,
      onFailed: (err) => service.log.error({ err }, 'cannot look for images to make at the moment'),
    });
  }

  nudge(): void {
    this.#passes.nudge();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#passes.stop();
    await Promise.all(this.#running.values());
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
