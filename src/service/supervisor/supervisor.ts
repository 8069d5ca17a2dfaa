/**
 * Several processes of a server on one machine. They share its ports and nothing else: each is a whole server, with all
 * it shares in the stores. The supervisor serves nothing; it starts workers, starts others for those that die or hang,
 * replaces them one by one (SIGHUP), and ends with them (SIGTERM).
 *
 * It holds the listening sockets and hands each connection to a worker (node:cluster), so that a connection that nobody
 * has accepted yet outlives the worker that would have taken it. Sockets that share a port in the system's way do not:
 * what waits at the socket of a process that ends is reset.
 */
import cluster from 'node:cluster';
import type Logger from 'bunyan';
import { onHangup } from '#lib/runtime/hangups.ts';
import { startInterval, startTimer } from '#lib/runtime/timers.ts';
import { within } from '#lib/runtime/within.ts';
import { FleetMetrics } from './fleet-metrics.ts';
import type { MetricsPart, ToSupervisor } from './messages.ts';
import { Slot, type SlotHost } from './slot.ts';
import { WorkerProcess } from './worker-process.ts';

export interface FleetTerms {
  readonly workers: number;
  /** How long all of them together may take to end. */
  readonly stopWithinMs: number;
  /** A worker whose event loop has not turned for so long is killed. */
  readonly silenceMs: number;
}

/** How often silence is looked for. */
const LOOK_MS = 500;
/** The supervisor itself, and so the machine, stood still for so long: that says nothing of its workers. */
const STANDSTILL_MS = 3 * LOOK_MS;
/** What a worker gets beyond the time that it ends itself in. */
const KILL_AFTER_MS = 1000;
/** How long a roll waits for a worker that was replaced to end, before it goes on to the next. */
const ONE_AT_A_TIME_MS = 3000;
/** How much of what a worker counted is lost if it is killed. */
const REPORT_EVERY_MS = 10_000;
const FAILED = 1;

/**
 * Resolves to the line of the first worker once all listen. Ends the process when it is told to, or if the first worker
 * cannot start. @param reload reads the configuration again; if that fails nothing is replaced
 */
export async function supervise(log: Logger, terms: FleetTerms, reload: () => Promise<FleetTerms>): Promise<string> {
  const fleet = new Fleet(log, terms, reload);
  process.on('SIGTERM', (signal) => fleet.stop(signal));
  process.on('SIGINT', (signal) => fleet.stop(signal));
  onHangup(() => fleet.roll());
  return fleet.start();
}

class Fleet implements SlotHost {
  readonly log: Logger;
  #isStopping = false;
  #hasStarted = false;
  readonly #reload: () => Promise<FleetTerms>;
  readonly #slots: Slot[] = [];
  /** All that run, those that were replaced included. */
  readonly #running = new Set<WorkerProcess>();
  readonly #metrics = new FleetMetrics();
  #terms: FleetTerms;
  #losses = 0;
  #isRolling = false;
  #rollAgain = false;

  constructor(log: Logger, terms: FleetTerms, reload: () => Promise<FleetTerms>) {
    this.log = log;
    this.#terms = terms;
    this.#reload = reload;
    cluster.schedulingPolicy = cluster.SCHED_RR;
    this.#watchForSilence();
    startInterval(() => {
      for (const worker of this.#running) worker.ask();
    }, REPORT_EVERY_MS).unref();
  }

  /** The first one alone: it prepares the stores, and what keeps it from starting would keep all of them. */
  async start(): Promise<string> {
    const first = this.#addSlot().start();
    const line = await first.ready;
    if (line === undefined) {
      const { code } = await first.gone;
      process.exit(this.#isStopping ? 0 : code || FAILED);
    }
    this.#hasStarted = true;
    const filled = this.#fill();
    if (this.#rollAgain) this.roll();
    await filled;
    return line;
  }

  get goesOn(): boolean {
    return this.#hasStarted && !this.#isStopping;
  }

  fork(): WorkerProcess {
    const worker = new WorkerProcess((from, message) => this.#on(from, message));
    this.#running.add(worker);
    void worker.gone.then(() => {
      this.#running.delete(worker);
      this.#metrics.onGone(worker);
    });
    if (this.#isStopping) worker.signal('SIGKILL');
    return worker;
  }

  onLoss(): void {
    this.#losses += 1;
  }

  stop(signal: NodeJS.Signals): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.log.info({ signal, workers: this.#running.size }, 'stopping');
    const running = [...this.#running];
    for (const worker of running) worker.signal(signal);
    startTimer(() => {
      for (const worker of this.#running) worker.signal('SIGKILL');
    }, this.#terms.stopWithinMs + KILL_AFTER_MS);
    void Promise.all(running.map(({ gone }) => gone)).then((ends) => {
      // One that was not up yet dies of the signal, with nothing under way.
      process.exit(ends.every((end) => end.code === 0 || end.signal === signal) ? 0 : FAILED);
    });
  }

  /** Replaces all workers, one after the other; what is under way, a roll or the start, is followed by another one. */
  roll(): void {
    const mustWait = this.#isRolling || !this.#hasStarted;
    this.#rollAgain = mustWait;
    if (!this.#hasStarted) this.log.info('the workers are replaced once the first one listens');
    if (mustWait) return;
    this.#isRolling = true;
    void this.#replaceAll()
      .catch((error: unknown) => this.log.error({ err: error }, 'the workers are not replaced; they go on as they are'))
      .finally(() => {
        this.#isRolling = false;
        if (this.#rollAgain) this.roll();
      });
  }

  async #replaceAll(): Promise<void> {
    if (this.#isStopping) return;
    this.#terms = await this.#reload();
    this.log.info({ workers: this.#terms.workers }, 'replacing the workers');
    for (const slot of this.#slots.splice(this.#terms.workers)) slot.close();
    for (const slot of this.#slots) {
      const before = await slot.replace();
      if (this.#isStopping) return;
      if (before === false) throw new Error('the new worker did not start');
      if (before) await within(ONE_AT_A_TIME_MS, before.gone, () => undefined);
    }
    await this.#fill();
    this.log.info({ workers: this.#slots.length }, 'the workers are replaced');
  }

  /** Starts the workers that are missing; resolves when each listens, or has failed for the first time. */
  async #fill(): Promise<void> {
    const added: Promise<unknown>[] = [];
    while (this.#slots.length < this.#terms.workers && !this.#isStopping) added.push(this.#addSlot().start().ready);
    await Promise.all(added);
  }

  #addSlot(): Slot {
    const slot = new Slot(this);
    this.#slots.push(slot);
    return slot;
  }

  #on(worker: WorkerProcess, message: ToSupervisor): void {
    // What comes after its end would count beside what is kept of it.
    if (message.fleet === 'metrics' && this.#running.has(worker)) this.#metrics.onReport(worker, message.part);
    if (message.fleet === 'gather') void this.#answer(worker, message.id);
  }

  async #answer(worker: WorkerProcess, id: number): Promise<void> {
    const ready = [...this.#running].filter(({ isReady }) => isReady);
    const parts = await this.#metrics.gather(ready);
    worker.send({ fleet: 'gathered', id, parts: [...parts, this.#own(ready.length)] });
  }

  #own(workers: number): MetricsPart {
    const plain = (name: string, help: string, type: 'gauge' | 'counter', value: number) =>
      ({ name, help, type, aggregator: 'sum', values: [{ value, labels: {} }] }) as unknown as MetricsPart[number];
    return [
      plain('server_workers', 'processes that serve', 'gauge', workers),
      plain('server_worker_losses_total', 'count of processes that ended by themselves', 'counter', this.#losses),
    ];
  }

  /** Before it listens a worker may take as long as it needs: its database may have to be indexed anew. */
  #watchForSilence(): void {
    let last = performance.now();
    startInterval(() => {
      const now = performance.now();
      const stoodStill = now - last > STANDSTILL_MS;
      last = now;
      for (const worker of this.#running) {
        if (stoodStill) worker.forgive();
        if (!worker.isReady || worker.isKilled || worker.silence <= this.#terms.silenceMs) continue;
        this.log.error({ worker: worker.pid, ms: Math.round(worker.silence) }, 'a worker hangs and is killed');
        worker.signal('SIGKILL');
      }
    }, LOOK_MS).unref();
  }
}
