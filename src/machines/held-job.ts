/**
 * A job that this process has claimed. Every write fails if another process has written since, so a process that was
 * suspended past the end of its lease can neither ask for an image nor record anything.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import { LeaseKeeper, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import type { Stored } from '#lib/documents/store.ts';
import { isConflict, unlessChanged, updateObject } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { pause } from '#lib/runtime/timers.ts';
import { changeRecord } from '../images/record/change.ts';
import { placeholderExpiry } from '../images/record/placeholder-expiry.ts';
import type { Service } from '../service/service.ts';
import { IMAGE_JOBS, type ImageJob, isAnother, putJob } from './model.ts';

/** Renewals per lease, so that one may fail without harm. */
const RENEWALS = 3;
/** How often the database is tried that is away, and for how long: until one that is restarted is there again. */
const TRY_AGAIN_MS = 1000;
const STORE_RETURNS_MS = 120_000;

export class HeldJob {
  readonly #service: Service;
  readonly #keeper: LeaseKeeper;
  #job: ImageJob;
  #etag: string;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(service: Service, job: ImageJob, etag: string) {
    this.#service = service;
    this.#job = job;
    this.#etag = etag;
    const seconds = service.config.tasks.leaseSeconds;
    this.#keeper = new LeaseKeeper({
      clock: service.store,
      everyMs: (seconds * 1000) / RENEWALS,
      lease: () => this.#job.lease,
      renew: () => this.update({ lease: newLease(service.worker, seconds, service.store.now()) }),
      onMissed: (err) => service.log.warn({ err, job: job.uuid }, 'the lease of a job was not renewed'),
    });
  }

  /** Undefined if another process claimed it first. */
  static async claim(service: Service, { value, etag }: Stored<ImageJob>): Promise<HeldJob | undefined> {
    const now = service.store.now();
    const job: ImageJob = {
      ...value,
      ...(value.state === 'queued' && { state: 'running' }),
      started_at: value.started_at ?? new Date(now).toISOString(),
      lease: newLease(service.worker, service.config.tasks.leaseSeconds, now),
      rev: value.rev + 1,
    };
    let written = '';
    const claim = service.store.batch([putJob(job, etag)]).then(([first = '']) => {
      written = first;
    });
    return (await unlessChanged(claim)) ? new HeldJob(service, job, written) : undefined;
  }

  get job(): ImageJob {
    return this.#job;
  }

  /** Aborts with a {@link LeaseLostError} when another process may have taken over. */
  get signal(): AbortSignal {
    return this.#keeper.signal;
  }

  /** @throws LeaseLostError */
  update(change: Partial<ImageJob>): Promise<void> {
    return this.#inTurn(() => this.#put({ ...this.#job, ...change }));
  }

  /** The order is known by its task from now on. @throws LeaseLostError */
  told(task: string): Promise<void> {
    // The order may be large, and each renewal of the lease writes the whole job.
    return this.#answered(({ order: _order, ...job }) => ({ ...job, task }));
  }

  /** CNAPI has not heard what it was asked. @throws LeaseLostError */
  retract(): Promise<void> {
    return this.#answered(({ asked_at: _asked, ...job }) => job);
  }

  /**
   * What CNAPI has answered only this process knows. So it is noted even if another process has the job by now, and as
   * soon as the database is there again.
   */
  async #answered(change: (job: ImageJob) => ImageJob): Promise<void> {
    const { asked_at: asked, uuid } = this.#job;
    try {
      await this.#inTurn(() => this.#put(change(this.#job)));
    } catch (error) {
      const { store } = this.#service;
      const note = (job: ImageJob) => {
        const isOpen = job.live && job.asked_at === asked && job.task === undefined;
        return isOpen ? { ...change(job), rev: job.rev + 1 } : undefined;
      };
      await onceAvailable(() => updateObject(store, IMAGE_JOBS, uuid, note));
      throw error;
    }
  }

  /** Nothing is left to do. @throws LeaseLostError */
  end(state: ImageJob['state']): Promise<void> {
    return this.#inTurn(() => this.#put(this.#ended(state)));
  }

  /**
   * Ends the job, and says on the image why it did not come, in one step. Returns false if the image has come after all,
   * or is not there any more. @throws LeaseLostError
   */
  async fail(error: { readonly message: string; readonly code: string }): Promise<boolean> {
    let isFailed = false;
    await this.#inTurn(async () => {
      const decide = (record: ImageRecord) => {
        isFailed = !record.activated && !isAnother(this.#job, record);
        if (!isFailed) return undefined;
        const job = { ...this.#ended('failed'), error };
        return { record: this.#failed(record, error), also: [putJob(job, this.#etag)] };
      };
      await changeRecord(this.#service, this.#job.image, decide).catch((cause: unknown) => {
        if (!(cause instanceof ApiError && cause.statusCode === 404)) throw cause;
        isFailed = false;
      });
    });
    return isFailed;
  }

  /** Another process may go on at once. Never rejects. */
  async release(): Promise<void> {
    await this.#keeper.end();
    await this.#writing;
    if (this.signal.aborted || !this.#job.live) return;
    const { lease: _lease, ...job } = this.#job;
    await this.#put(job).catch((err: unknown) => {
      this.#service.log.info({ err, job: job.uuid }, 'the lease of a job is left to run out');
    });
  }

  #ended(state: ImageJob['state']): ImageJob {
    const { lease: _lease, order: _order, ...job } = this.#job;
    const finished = job.finished_at ?? new Date(this.#service.store.now()).toISOString();
    return { ...job, live: false, state, finished_at: finished, rev: job.rev + 1 };
  }

  #failed(record: ImageRecord, error: { readonly message: string; readonly code: string }): ImageRecord {
    return { ...record, state: 'failed', error, expires_at: placeholderExpiry(this.#service) };
  }

  async #put(job: ImageJob): Promise<void> {
    const value = { ...job, rev: this.#job.rev + 1 };
    [this.#etag = ''] = await this.#service.store.batch([putJob(value, this.#etag)]);
    this.#job = value;
  }

  /** Writes come one after the other, those of the lease among them. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const next = this.#writing.then(() => {
      this.signal.throwIfAborted();
      return write().catch((cause: unknown) => {
        throw isConflict(cause) ? new LeaseLostError('another process has the job now', { cause }) : cause;
      });
    });
    this.#writing = next.catch(() => undefined);
    return next;
  }
}

async function onceAvailable(write: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + STORE_RETURNS_MS;
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > end) throw error;
    }
    await pause(TRY_AGAIN_MS);
  }
}
