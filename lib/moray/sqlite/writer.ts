/**
 * The queue of batches. SQLite has one writer at a time and each commit waits for the disk, so batches that arrive
 * together are committed together: each is still whole or absent by itself, and its promise resolves only when the
 * commit that holds it is on disk.
 */
import type { Connection } from './connection.ts';
import { isBusy, storeError } from './failure.ts';
import { patiently } from './patience.ts';

/** Batches in one commit: bounds how long the event loop is held. */
const COMMIT_SIZE = 32;

interface Job {
  readonly apply: () => string[];
  readonly resolve: (etags: string[]) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly etags: string[] } | { readonly error: unknown };

export class Writer {
  readonly #connection: Connection;
  readonly #patience: number;
  /** Runs first in each transaction. */
  readonly #begun: () => void;
  readonly #queue: Job[] = [];
  #running: Promise<void> | undefined;

  /** @param patience milliseconds to wait for another process's write lock */
  constructor(connection: Connection, patience: number, begun: () => void) {
    this.#connection = connection;
    this.#patience = patience;
    this.#begun = begun;
  }

  /** Runs `apply` in a transaction that it may share with others; a throw undoes what it did, and nothing else. */
  write(apply: () => string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ apply, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is waiting any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that are ready in this turn of the event loop may bring batches of their own.
      await new Promise(setImmediate);
      await this.#commit(this.#queue.splice(0, COMMIT_SIZE));
    }
    this.#running = undefined;
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    let outcomes: Outcome[];
    try {
      outcomes = await patiently(() => this.#transaction(jobs), this.#patience);
    } catch (error) {
      for (const job of jobs) {
        job.reject(error);
      }
      return;
    }
    jobs.forEach((job, at) => {
      settle(job, outcomes[at]);
    });
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
      // What took the whole transaction with it is everybody's failure, and what may pass is tried again.
      if (!this.#connection.db.inTransaction || isBusy(error)) {
        throw error;
      }
      return { error: storeError(error) };
    }
  }
}

function settle(job: Job, outcome: Outcome | undefined): void {
  if (outcome !== undefined && 'etags' in outcome) {
    job.resolve(outcome.etags);
  } else {
    job.reject(outcome?.error);
  }
}
