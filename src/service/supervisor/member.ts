/** The worker's side of its supervisor: says that it is alive, and does what it is told. */
import cluster from 'node:cluster';
import { within } from '#lib/runtime/within.ts';
import { isFleetMessage, type MetricsPart, type ToSupervisor, type ToWorker } from './messages.ts';

export interface FleetMember {
  /** Sets where the metrics of this process come from. */
  reports(source: () => Promise<MetricsPart>): void;
  /** The metrics of all processes of the fleet, those that have ended included. */
  gather(): Promise<readonly MetricsPart[]>;
}

export interface Orders {
  /** Another worker has taken this one's place. */
  readonly retire: (within: number) => void;
  /** The supervisor is gone. */
  readonly orphaned: () => void;
}

const ALIVE_EVERY_MS = 500;
const GATHER_WITHIN_MS = 5000;

export class SupervisedMember implements FleetMember {
  readonly #asked = new Map<number, (parts: readonly MetricsPart[]) => void>();
  #source: () => Promise<MetricsPart> = async () => [];
  #lastId = 0;

  constructor(orders: Orders) {
    process.on('message', (message: ToWorker) => {
      if (isFleetMessage(message)) this.#on(message, orders);
    });
    process.once('disconnect', orders.orphaned);
    // node ends a worker without a supervisor in the middle of everything; this one finishes what it has begun.
    cluster.worker?.once('disconnect', () => {
      if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    });
    setInterval(() => send({ fleet: 'alive' }), ALIVE_EVERY_MS).unref();
  }

  /** To be called when the server listens. */
  ready(line: string): void {
    send({ fleet: 'ready', line });
  }

  reports(source: () => Promise<MetricsPart>): void {
    this.#source = source;
  }

  async gather(): Promise<readonly MetricsPart[]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<readonly MetricsPart[]>();
    this.#asked.set(id, resolve);
    send({ fleet: 'gather', id });
    try {
      return await within(GATHER_WITHIN_MS, promise, () => {
        throw new Error('the supervisor did not answer');
      });
    } finally {
      this.#asked.delete(id);
    }
  }

  /** Leaves the counts of this process behind, before it ends. */
  async farewell(): Promise<void> {
    const part = await this.#source();
    await new Promise<void>((resolve) => send({ fleet: 'metrics', part }, () => resolve()));
  }

  #on(message: ToWorker, orders: Orders): void {
    if (message.fleet === 'retire') orders.retire(message.within);
    else if (message.fleet === 'gathered') this.#asked.get(message.id)?.(message.parts);
    else void this.#source().then((part) => send({ fleet: 'metrics', part }));
  }
}

/** Never fails: a supervisor that is gone is noticed by its own event. */
function send(message: ToSupervisor, done: () => void = () => {}): void {
  if (process.connected && process.send) process.send(message, undefined, {}, done);
  else done();
}
