/** The place of one worker: there is always one in it, or one on its way. */
import type Logger from 'bunyan';
import { startTimer, type Timer } from '#lib/runtime/timers.ts';
import type { WorkerEnd, WorkerProcess } from './worker-process.ts';

export interface SlotHost {
  readonly log: Logger;
  /** Whether a worker that ends is followed by another one. */
  readonly goesOn: boolean;
  fork(): WorkerProcess;
  /** Counts a worker that ended by itself. */
  onLoss(): void;
}

/** A worker that lived for so long did not fail because of how it was started. */
const STEADY_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** How long a worker that was replaced may take for its uploads and downloads: nobody waits for its end. */
const RETIRE_WITHIN_MS = 3_600_000;

export class Slot {
  readonly #host: SlotHost;
  #worker: WorkerProcess | undefined;
  #restart: Timer | undefined;
  /** Workers in a row that did not live long. */
  #failures = 0;

  constructor(host: SlotHost) {
    this.#host = host;
  }

  start(): WorkerProcess {
    const worker = this.#host.fork();
    this.#take(worker);
    return worker;
  }

  /** Starts a new worker, and retires the old one when the new one listens. Returns the old one; false if it failed. */
  async replace(): Promise<WorkerProcess | undefined | false> {
    const worker = this.#host.fork();
    if ((await worker.ready) === undefined) return false;
    const before = this.#worker;
    this.#take(worker);
    before?.retire(RETIRE_WITHIN_MS);
    return before;
  }

  /** Leaves the place empty. */
  close(): void {
    this.#restart?.stop();
    const before = this.#worker;
    this.#worker = undefined;
    before?.retire(RETIRE_WITHIN_MS);
  }

  #take(worker: WorkerProcess): void {
    this.#restart?.stop();
    this.#worker = worker;
    void worker.gone.then((end) => {
      if (this.#worker === worker) this.#onLoss(worker, end);
    });
  }

  #onLoss(worker: WorkerProcess, end: WorkerEnd): void {
    this.#worker = undefined;
    if (!this.#host.goesOn) return;
    this.#failures = worker.isReady && worker.age > STEADY_MS ? 1 : this.#failures + 1;
    const wait = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 30), LONGEST_PAUSE_MS);
    this.#host.onLoss();
    this.#host.log.error({ ...end, worker: worker.pid, wait }, 'a worker ended by itself; another one follows');
    this.#restart = startTimer(() => this.start(), wait);
  }
}
