/**
 * Brings a job to its end: has CNAPI tell the node to make the image, and waits for it. What becomes of the image is what
 * its record says: the node imports it over the placeholder, adds its file and activates it. CNAPI is asked only why it
 * does not come. Whatever process goes on with a job sees from it, and from the image, what is left to do.
 */
import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { pause } from '#lib/runtime/timers.ts';
import { withoutPlaces } from '#lib/text/without-places.ts';
import { foreignMessage } from '../datacenters/peers/remote-failure.ts';
import { loadRaw } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';
import { type Means, meansOf } from './availability.ts';
import { nodePlatform, orderImage, taskState } from './cnapi.ts';
import type { HeldJob } from './held-job.ts';
import { findMachine } from './machine.ts';
import { isAnother } from './model.ts';
import { isRefusal, isRemote, isUnheard, type TritonCall } from './triton-api.ts';

/** Between two looks: first each second, then, as a job becomes older, a thirtieth of its age. */
const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
const PART_OF_AGE = 1 / 30;
/** For how long VMAPI and CNAPI may be down when a job begins. */
const PATIENCE_MS = 120_000;
/** A task that CNAPI has not heard of after so long will not turn up. */
const TASK_APPEARS_MS = 60_000;

/** Aborts never; each call has its own limit of time. */
const NEVER = new AbortController().signal;

interface Failure {
  readonly message: string;
  readonly code: string;
}

/** What a step found: the job is over, or has to be looked at again. */
type Outcome = 'over' | 'waiting';

/** Resolves when the job is over. @throws the signal's reason; LeaseLostError */
export async function carryOut(service: Service, held: HeldJob, signal: AbortSignal): Promise<void> {
  const run = new Run(service, held, signal);
  while ((await run.step()) === 'waiting') await pause(run.pause(), signal);
}

class Run {
  readonly #service: Service;
  readonly #held: HeldJob;
  readonly #call: TritonCall;
  /** Said once, not every second. */
  readonly #said = new Set<string>();

  constructor(service: Service, held: HeldJob, signal: AbortSignal) {
    this.#service = service;
    this.#held = held;
    this.#call = { requestId: held.job.request_id, signal };
  }

  /** Milliseconds until the next step. */
  pause(): number {
    const age = this.#since(this.#held.job.started_at);
    return Math.min(Math.max(age * PART_OF_AGE, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
  }

  async step(): Promise<Outcome> {
    const held = this.#held;
    const image = await this.#image();
    if (image?.activated) return this.#end('succeeded');
    if (!image && held.job.state !== 'canceled') await this.#cancel();
    const { job } = held;
    if (job.state === 'canceled' && job.asked_at === undefined) return this.#end('canceled');
    if (this.#since(job.started_at) > this.#service.config.createFromVm.giveUpAfterSeconds * 1000) {
      return this.#fail({ code: 'Timeout', message: 'the image did not come from its compute node in time' });
    }
    try {
      const means = meansOf(this.#service);
      if (job.asked_at === undefined) return await this.#ask(means);
      return job.task === undefined ? 'waiting' : await this.#poll(means, job.task, job.asked_at);
    } catch (error) {
      this.#call.signal.throwIfAborted();
      // Somebody may have taken them out of the configuration.
      const isGone = error instanceof ApiError && error.code === 'NotAvailable';
      if (!isGone && !isRemote(error)) throw error;
      this.#say(error);
      return 'waiting';
    }
  }

  async #image(): Promise<ImageRecord | undefined> {
    const { job } = this.#held;
    const record = (await loadRaw(this.#service, job.image))?.value;
    return record === undefined || record.state === 'deleting' || isAnother(job, record) ? undefined : record;
  }

  /** Its node cannot be called back; it is kept in sight, so that what it brings does not come back to life. */
  async #cancel(): Promise<void> {
    const { image, uuid } = this.#held.job;
    this.#service.log.info({ image, job: uuid }, 'the image was deleted before it came from its machine');
    await this.#held.update({ state: 'canceled', finished_at: new Date(this.#service.store.now()).toISOString() });
  }

  async #ask({ vmapi, cnapi }: Means): Promise<Outcome> {
    const { vm, account, order, started_at: started } = this.#held.job;
    if (!order) throw imageNotFound(this.#held.job.image);
    try {
      const machine = await findMachine(vmapi, vm, account, this.#call);
      if (!machine?.server) return this.#fail({ code: 'VmNotFound', message: `machine "${vm}" is not there any more` });
      const { server } = machine;
      // It may have been moved. And a connection that was silently dead is found out before it matters.
      await nodePlatform(cnapi, server, this.#call);
      await this.#held.update({ server, asked_at: this.#service.store.now() });
      await this.#service.faults.reach('from-vm:asking');
      // A process that ends still hears the answer: without it nobody would know the task.
      const call = { ...this.#call, signal: NEVER };
      const task = await orderImage(cnapi, this.#held.job, order, server, call);
      await this.#service.faults.reach('from-vm:asked');
      if (task === undefined) this.#say(new Error('the answer of CNAPI does not name the task'));
      else await this.#held.told(task);
      await this.#service.faults.reach('from-vm:task-recorded');
      this.#service.log.info({ image: this.#held.job.image, vm, server, task }, 'compute node told to make an image');
      return 'waiting';
    } catch (error) {
      if (!isRemote(error)) throw error;
      return this.#notAsked(error, this.#since(started) > PATIENCE_MS);
    }
  }

  /** Only what CNAPI surely has not heard is said again: two tasks for one image would spoil each other. */
  async #notAsked(error: unknown, isEnough: boolean): Promise<Outcome> {
    this.#say(error);
    const wasSent = this.#held.job.asked_at !== undefined;
    const isOpen = wasSent ? isUnheard(error) : !isRefusal(error) || error.statusCode >= 500;
    if (isOpen && !isEnough) {
      if (wasSent) await this.#held.retract();
      return 'waiting';
    }
    if (wasSent && !isUnheard(error) && !isRefusal(error)) return 'waiting';
    // Where the other services are is not for whoever sees the image.
    const [code, why] = isRefusal(error)
      ? [error.code, withoutPlaces(foreignMessage(error))]
      : ['ServiceUnavailable', 'VMAPI or CNAPI cannot be asked'];
    return this.#fail({ code, message: `the compute node could not be told: ${why}` });
  }

  async #poll({ cnapi }: Means, task: string, asked: number): Promise<Outcome> {
    try {
      const found = await taskState(cnapi, task, this.#call);
      if (found.state === 'active') return 'waiting';
      if (found.state === 'failure') {
        return this.#fail({ code: found.error.code ?? 'TaskFailed', message: found.error.message });
      }
      return this.#fail({
        code: 'ImageMissing',
        message: 'the compute node says that it is done, but the image is not',
      });
    } catch (error) {
      const isUnknown = error instanceof ImgapiError && error.statusCode === 404;
      if (!isUnknown || this.#service.store.now() - asked < TASK_APPEARS_MS) throw error;
      return this.#fail({ code: 'TaskNotFound', message: `CNAPI does not know its task "${task}" any more` });
    }
  }

  async #end(state: 'succeeded' | 'canceled'): Promise<Outcome> {
    await this.#held.end(state);
    const { image, uuid: job } = this.#held.job;
    this.#service.log.info({ image, job, state }, 'job of an image from a machine ended');
    return 'over';
  }

  /** Unless the image came at the last moment, or was deleted. */
  async #fail(error: Failure): Promise<Outcome> {
    const { image, uuid: job } = this.#held.job;
    if (await this.#held.fail(error)) {
      this.#service.log.warn({ image, job, code: error.code, reason: error.message }, 'no image came from a machine');
      return 'over';
    }
    const isThere = (await this.#image())?.activated === true;
    return this.#end(isThere ? 'succeeded' : 'canceled');
  }

  #since(date: string | undefined): number {
    return date === undefined ? 0 : this.#service.store.now() - Date.parse(date);
  }

  #say(error: unknown): void {
    const { image, uuid: job } = this.#held.job;
    const why = foreignMessage(error);
    if (!this.#said.has(why)) {
      this.#service.log.warn({ image, job, why }, 'VMAPI or CNAPI cannot be asked at the moment');
    }
    this.#said.add(why);
  }
}
