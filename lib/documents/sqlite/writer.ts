/**
 * The queue of batches. SQLite has one writer at a time and each commit waits for the disk, so batches that arrive
 * together, or while the disk was waited for, are committed together. Each is still atomic by itself, and its promise
 * resolves only when its commit is on disk.
 */
import { StoreFullError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { fullError, isBusy, isFull, isWriteFailure, storeError } from './failure.ts';
import { patiently } from './patience.ts';
import type { Reserve } from './reserve.ts';

/** Batches in one commit: bounds how long the event loop is held. */
const COMMIT_SIZE = 32;

interface Job {
  readonly apply: () => string[];
  /** Whether it is written even if the disk is full. */
  readonly frees: boolean;
  readonly resolve: (etags: string[]) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly etags: string[] } | { readonly error: unknown };

export class Writer {
  readonly #connection: Connection;
  readonly #patience: number;
  /** Runs first in each transaction. */
  readonly #begun: () => void;
  readonly #reserve: Reserve | undefined;
  readonly #queue: Job[] = [];
  #running: Promise<void> | undefined;

  /** @param patience milliseconds to wait for another process's write lock */
  constructor(connection: Connection, patience: number, begun: () => void, reserve: Reserve | undefined) {
    this.#connection = connection;
    this.#patience = patience;
    this.#begun = begun;
    this.#reserve = reserve;
  }

  /** Runs `apply` in a transaction that it may share with others; if it throws, only its own work is undone. */
  write(apply: () => string[], frees: boolean): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ apply, frees, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when the queue is empty. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that are ready in this turn of the event loop may bring batches of their own.
      await new Promise(setImmediate);
      const jobs = this.#queue.splice(0, COMMIT_SIZE);
      try {
        await this.#commit(await this.#admitted(jobs));
      } catch (error) {
        // The reserve cannot be looked at. Those that have their answer already keep it; those behind are not to wait for ever.
        for (const { reject } of jobs) reject(storeError(error));
      }
    }
    this.#running = undefined;
  }

  /** If the reserve is incomplete, because the disk is full, only what frees space; the other jobs are rejected. */
  async #admitted(jobs: readonly Job[]): Promise<readonly Job[]> {
    if (this.#reserve === undefined || jobs.every(({ frees }) => frees) || (await this.#reserve.hold())) {
      return jobs;
    }
    return freeing(jobs, fullError());
  }

  /** @param wasFull the disk was full a moment ago, so another failed write needs another piece of the reserve */
  async #commit(jobs: readonly Job[], wasFull = false): Promise<void> {
    if (jobs.length === 0) {
      return;
    }
    let outcomes: Outcome[];
    try {
      outcomes = await patiently(() => this.#transaction(jobs), this.#patience);
      await this.#connection.synced();
    } catch (error) {
      await this.#failed(jobs, error, wasFull);
      return;
    }
    jobs.forEach((job, at) => {
      settle(job, outcomes[at]);
    });
    if (this.#reserve?.isHeld === false) {
      // Take the freed space back now, before somebody else does.
      await this.#reserve.hold();
    }
  }

  async #failed(jobs: readonly Job[], cause: unknown, wasFull: boolean): Promise<void> {
    const isLackOfRoom =
      cause instanceof StoreFullError ||
      (wasFull && isWriteFailure(cause)) ||
      (await this.#reserve?.isLackOfRoom(cause)) === true;
    const error = isLackOfRoom && !(cause instanceof StoreFullError) ? fullError(cause) : cause;
    const left = isLackOfRoom ? freeing(jobs, error) : jobs;
    if (isLackOfRoom && left.length > 0 && this.#reserve?.release() === true) {
      return await this.#commit(left, true);
    }
    for (const job of left) {
      job.reject(error);
    }
  }

  #transaction(jobs: readonly Job[]): Outcome[] {
    return this.#connection.write(() => {
      this.#begun();
      return jobs.map((job) => this.#attempt(job));
    });
  }

  #attempt(job: Job): Outcome {
    try {
      return { etags: this.#connection.nested(job.apply) };
    } catch (error) {
      // An error that ended the whole transaction fails all its jobs; a temporary one is retried.
      if (!this.#connection.db.inTransaction || isBusy(error) || isFull(error) || isWriteFailure(error)) {
        throw error;
      }
      return { error: storeError(error) };
    }
  }
}

/** Those that free space; the others are rejected. */
function freeing(jobs: readonly Job[], error: unknown): readonly Job[] {
  for (const { reject } of jobs.filter(({ frees }) => !frees)) {
    reject(error);
  }
  return jobs.filter(({ frees }) => frees);
}

function settle(job: Job, outcome: Outcome | undefined): void {
  if (outcome !== undefined && 'etags' in outcome) {
    job.resolve(outcome.etags);
  } else {
    job.reject(outcome?.error);
  }
}
