/** A worker as its supervisor sees it: from the fork to its end. */
import cluster, { type Worker } from 'node:cluster';
import type { Reporter } from './fleet-metrics.ts';
import { isFleetMessage, type ToSupervisor, type ToWorker } from './messages.ts';

export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not even be started. */
  readonly err?: Error;
}

export class WorkerProcess implements Reporter {
  readonly #worker: Worker;
  readonly #began = performance.now();
  #lastSign = this.#began;
  /** The line that says where it listens; undefined if it ended before it did. */
  readonly ready: Promise<string | undefined>;
  readonly gone: Promise<WorkerEnd>;
  isReady = false;
  isGone = false;
  /** One that waits for a disk that hangs ends only when that is back. */
  isKilled = false;

  /** @param onMessage gets what concerns more than this worker */
  constructor(onMessage: (worker: WorkerProcess, message: ToSupervisor) => void) {
    this.#worker = cluster.fork();
    const ready = Promise.withResolvers<string | undefined>();
    const gone = Promise.withResolvers<WorkerEnd>();
    this.ready = ready.promise;
    this.gone = gone.promise;
    const end = (how: WorkerEnd): void => {
      this.isGone = true;
      ready.resolve(undefined);
      gone.resolve(how);
    };
    this.#worker.on('exit', (code, signal) => end({ code, signal }));
    this.#worker.on('error', (err) => {
      // Of a channel that broke: the exit follows.
      if (this.pid === undefined) end({ code: null, signal: null, err });
    });
    this.#worker.on('message', (message: ToSupervisor) => {
      if (!isFleetMessage(message)) return;
      this.#lastSign = performance.now();
      if (message.fleet === 'ready') {
        this.isReady = true;
        ready.resolve(message.line);
      } else if (message.fleet !== 'alive') onMessage(this, message);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Milliseconds since it was started. */
  get age(): number {
    return performance.now() - this.#began;
  }

  /** Milliseconds since its event loop last turned, as far as is known. */
  get silence(): number {
    return performance.now() - this.#lastSign;
  }

  /** Counts its silence from now on. */
  forgive(): void {
    this.#lastSign = performance.now();
  }

  send(message: ToWorker): void {
    // What cannot be sent goes to a worker that is ending.
    if (this.#worker.isConnected()) this.#worker.send(message, undefined, {}, () => {});
  }

  /** Asks for its metrics. */
  ask(): void {
    this.send({ fleet: 'report' });
  }

  /** Tells it that another one has taken its place. @param within milliseconds in which it finishes what it has begun */
  retire(within: number): void {
    // Before it listens it has begun nothing, and a message might come before anybody in it reads them.
    if (this.isReady) this.send({ fleet: 'retire', within });
    else this.signal('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isGone) return;
    this.#worker.process.kill(signal);
    if (signal === 'SIGKILL') this.isKilled = true;
  }
}
