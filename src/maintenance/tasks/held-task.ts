/**
 * A task that this process has claimed, from the claim to the end of its run. Every write fails if another process has
 * written since, so a process that was suspended past the end of its lease cannot record anything.
 */
import type Logger from 'bunyan';
import { EtagConflictError } from '#lib/documents/errors.ts';
import { LeaseKeeper, LeaseLostError } from '#lib/documents/lease.ts';
import type { Store, Stored } from '#lib/documents/store.ts';
import { cutText } from '#lib/text/cut-text.ts';
import type { FaultPoints } from '../../service/fault-points.ts';
import { begun, ended, givenBack, type LastRun, renewed, TASKS, type Task, type TaskRecord } from './task.ts';

/** What a process provides to run tasks. */
export interface TaskHost {
  readonly store: Store;
  readonly log: Logger;
  /** Names this process in the leases. */
  readonly worker: string;
  /** If a process dies, others can claim its task after this time. */
  readonly leaseSeconds: number;
  readonly faults: FaultPoints;
}

/** Renewals per lease, so that one may fail without harm. */
const RENEWALS = 3;

type Outcome = { readonly done: object | undefined } | { readonly error: unknown };

export class HeldTask {
  readonly #host: TaskHost;
  readonly #task: Task;
  #record: TaskRecord;
  #etag: string;

  private constructor(host: TaskHost, task: Task, record: TaskRecord, etag: string) {
    this.#host = host;
    this.#task = task;
    this.#record = record;
    this.#etag = etag;
  }

  /** Undefined if another process claimed it first. */
  static async claim(
    host: TaskHost,
    task: Task,
    stored: Stored<TaskRecord> | undefined,
  ): Promise<HeldTask | undefined> {
    const { store, worker, leaseSeconds, log } = host;
    const record = begun(stored?.value, worker, leaseSeconds, store.now());
    try {
      const held = new HeldTask(host, task, record, await write(host, task, record, stored?.etag ?? null));
      const died = stored?.value.lease?.worker;
      if (died !== undefined) log.warn({ task: task.name, worker: died }, 'task taken over from a process that died');
      return held;
    } catch (error) {
      if (error instanceof EtagConflictError) return undefined;
      throw error;
    }
  }

  /** Runs the task and records the outcome. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { store, log, leaseSeconds } = this.#host;
    const task = this.#task.name;
    const keeper = new LeaseKeeper({
      clock: store,
      everyMs: (leaseSeconds * 1000) / RENEWALS,
      lease: () => this.#record.lease,
      renew: () => this.#renew(),
      onMissed: (error) => log.warn({ err: error, task }, 'the lease of the task was not renewed'),
    });
    const outcome = await this.#attempt(AbortSignal.any([stop, keeper.signal]));
    await keeper.end();
    if (keeper.signal.aborted) return;
    try {
      if ('error' in outcome && stop.aborted) await this.#put(givenBack(this.#record));
      else await this.#end(outcome);
    } catch (error) {
      log.warn({ err: error, task }, 'the end of the task was not recorded; it runs again when its lease expires');
    }
  }

  async #attempt(signal: AbortSignal): Promise<Outcome> {
    try {
      await this.#host.faults.reach('task:claimed');
      signal.throwIfAborted();
      return { done: await this.#task.run(signal) };
    } catch (error) {
      return { error };
    }
  }

  async #end(outcome: Outcome): Promise<void> {
    const { store, log, worker } = this.#host;
    const { name: task } = this.#task;
    const now = store.now();
    const run = { began_at: this.#record.began_at ?? now, ended_at: now, worker };
    await this.#put(ended(this.#record, this.#task, { ...run, ...shown(outcome) }));
    if ('error' in outcome) log.error({ err: outcome.error, task }, 'task failed; it will run again');
    else if (outcome.done) log.info({ task, ...outcome.done }, 'task done');
  }

  #renew(): Promise<void> {
    const { worker, leaseSeconds, store } = this.#host;
    return this.#put(renewed(this.#record, worker, leaseSeconds, store.now()));
  }

  /** @throws LeaseLostError */
  async #put(record: TaskRecord): Promise<void> {
    try {
      this.#etag = await write(this.#host, this.#task, record, this.#etag);
      this.#record = record;
    } catch (error) {
      if (!(error instanceof EtagConflictError)) throw error;
      throw new LeaseLostError(`task ${this.#task.name} now belongs to another process`, { cause: error });
    }
  }
}

/** Allowed even on a full disk, because some tasks free space, and these documents do not grow. */
async function write({ store }: TaskHost, { name }: Task, value: TaskRecord, ifEtag: string | null): Promise<string> {
  const [etag = ''] = await store.batch([{ op: 'put', bucket: TASKS, key: name, value, ifEtag }], { frees: true });
  return etag;
}

/** The outcome of a run as shown to operators. */
function shown(outcome: Outcome): Pick<LastRun, 'did' | 'error'> {
  if ('error' in outcome) {
    const { error } = outcome;
    return { error: cutText(error instanceof Error ? error.message : String(error)) };
  }
  return outcome.done ? { did: Object.fromEntries(Object.entries(outcome.done).flatMap(counted)) } : {};
}

function counted([name, value]: [string, unknown]): [string, number | string | boolean][] {
  if (Array.isArray(value)) return [[name, value.length]];
  return ['number', 'string', 'boolean'].includes(typeof value) ? [[name, value as number | string | boolean]] : [];
}
