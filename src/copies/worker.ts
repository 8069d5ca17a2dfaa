/**
 * The engine. Any number of processes run one; none of them has anything to do with the request that made an order.
 *
 * A *pass* looks at the live transfers and orders in the store and does what is to be done: claims transfers that wait
 * or whose lease ran out, as far as the limits let it, and settles orders whose images are all here. It takes no input
 * but the store, so that what follows a crash is the same as what always happens. Passes come by a timer, after every
 * transfer that ends here, and by a nudge after every request.
 */
import type { Stored } from '#lib/moray/store.ts';
import { startInterval, startTimer } from '#lib/timers.ts';
import type { StoredImage } from '../images/load.ts';
import type { Caller, Service } from '../service.ts';
import { claim, isClaimable, releaseAttempt } from './attempt.ts';
import { runningFrom } from './bandwidth.ts';
import { deletePlaceholder, replaceFailedPlaceholder } from './cancel.ts';
import { settleOrder } from './commit-order.ts';
import { isHeld } from './leases.ts';
import { COPIES, type CopyOrder, TRANSFERS, type Transfer } from './model.ts';
import { runTransfer, WorkerStopped } from './transfer.ts';

export interface CopyWorker {
  /** Something was written that a pass should see soon. */
  nudge(): void;
  /** DeleteImage of a placeholder: cancels a live copy, removes the rest of a failed one. @throws ApiError */
  deletePlaceholder(stored: StoredImage, caller: Caller): Promise<void>;
  /** AdminImport in the place of a failed copy; false when there is none (any more). @throws 409 */
  replaceFailedPlaceholder(stored: StoredImage): Promise<boolean>;
  /** Gives back what is under way, for other processes to go on with at once. Resolves when all of it is safe. */
  stop(): Promise<void>;
}

export interface CopyWorkerOptions {
  /** Milliseconds between two looks at the store. */
  readonly pollMs?: number;
}

const POLL_MS = 2000;
/** From the claim of a transfer to the next look for one. */
const SHORTEST_TURN_MS = 20;
/** What one pass looks at; the rest waits for a later one. */
const MOST_LIVE = 1000;

export function startCopyWorker(service: Service, { pollMs = POLL_MS }: CopyWorkerOptions = {}): CopyWorker {
  const worker = new Worker(service);
  const timer = startInterval(() => worker.nudge(), pollMs);
  worker.nudge();
  return {
    nudge: () => worker.nudge(),
    async deletePlaceholder(stored, caller) {
      await deletePlaceholder(service, stored, caller);
      worker.nudge();
    },
    replaceFailedPlaceholder: (stored) => replaceFailedPlaceholder(service, stored),
    async stop() {
      timer.stop();
      await worker.stop();
    },
  };
}

class Worker {
  readonly #service: Service;
  readonly #stopping = new AbortController();
  /** Transfers that this process carries, by image. */
  readonly #running = new Map<string, Promise<void>>();
  /** Orders that this process is about to end; asking the source once more may take a while. */
  readonly #settling = new Map<string, Promise<void>>();
  #pass: Promise<void> | undefined;
  #again = false;
  #wasOk = true;

  constructor(service: Service) {
    this.#service = service;
  }

  nudge(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#pass !== undefined) {
      this.#again = true;
      return;
    }
    this.#pass = this.#passSafely().finally(() => {
      this.#pass = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.nudge();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new WorkerStopped());
    await this.#pass;
    await Promise.all([...this.#running.values(), ...this.#settling.values()]);
  }

  async #passSafely(): Promise<void> {
    try {
      await this.#runPass();
      this.#wasOk = true;
    } catch (error) {
      // While the store is down every pass fails: one line tells it.
      if (this.#wasOk) this.#service.log.error({ err: error }, 'copies cannot be looked after now');
      this.#wasOk = false;
    }
  }

  async #runPass(): Promise<void> {
    const { store } = this.#service;
    const filter = { op: 'eq', field: 'live', value: true } as const;
    const transfers = await store.find(TRANSFERS, { filter, limit: MOST_LIVE });
    await this.#claimSome(transfers);
    const orders = await store.find(COPIES, { filter, limit: MOST_LIVE });
    this.#settleSome(orders, transfers);
  }

  async #claimSome(transfers: readonly Stored<Transfer>[]): Promise<void> {
    const now = this.#service.clock.now();
    const claimable = transfers.filter(
      ({ key, value }) => isClaimable(value, now, this.#service.config.copies) && !this.#running.has(key),
    );
    for (const stored of inFairOrder(claimable, transfers, now)) {
      const isFull = this.#running.size >= this.#service.config.copies.concurrency;
      if (isFull || this.#stopping.signal.aborted) return;
      const claimed = await this.#claimWithinLimits(stored);
      if (claimed) this.#run(claimed);
    }
  }

  async #claimWithinLimits(stored: Stored<Transfer>): Promise<Transfer | undefined> {
    const service = this.#service;
    const { perLink } = service.config.copies;
    const { source } = stored.value;
    if ((await runningFrom(service, source)).length >= perLink) return undefined;
    const claimed = await claim(service, stored);
    if (claimed === 'lost') for (const order of stored.value.orders) this.#settle(order);
    if (!claimed || claimed === 'lost') return undefined;
    // Other processes looked at the same moment: those that came last give their place back.
    const running = await runningFrom(service, source);
    const place = running.findIndex(({ key }) => key === claimed.image);
    if (place < perLink) return claimed;
    await releaseAttempt(service, claimed, {});
    return undefined;
  }

  #run(claimed: Transfer): void {
    const { image, source, attempt } = claimed;
    this.#service.log.info({ image, source, attempt, bytes: claimed.bytes }, 'transfer taken up');
    const begin = performance.now();
    const run = runTransfer(this.#service, claimed, this.#stopping.signal).finally(() => {
      this.#running.delete(image);
      // Whatever it is that ends an attempt at once, the next one must not follow as fast as the machine can go.
      startTimer(() => this.nudge(), Math.max(0, SHORTEST_TURN_MS - (performance.now() - begin)));
    });
    this.#running.set(image, run);
  }

  /** Orders that still wait for bytes are left alone without another look. */
  #settleSome(orders: readonly Stored<CopyOrder>[], transfers: readonly Stored<Transfer>[]): void {
    const coming = new Set(transfers.filter(({ value }) => value.state !== 'received').map(({ key }) => key));
    for (const { key, value } of orders) {
      if (!value.images.some((image) => coming.has(image))) this.#settle(key);
    }
  }

  #settle(order: string): void {
    if (this.#settling.has(order)) return;
    const settling = settleOrder(this.#service, order, this.#stopping.signal)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#service.log.warn({ err: error, order }, 'order not settled; it is tried again');
      })
      .finally(() => this.#settling.delete(order));
    this.#settling.set(order, settling);
  }
}

/** Whoever has least under way comes first, then what was ordered first: one account's many do not hold up others. */
function inFairOrder(
  claimable: readonly Stored<Transfer>[],
  all: readonly Stored<Transfer>[],
  now: number,
): readonly Stored<Transfer>[] {
  const underWay = new Map<string | undefined, number>();
  for (const { value } of all) {
    if (isHeld(value.lease, now)) underWay.set(value.account, (underWay.get(value.account) ?? 0) + 1);
  }
  const load = ({ value }: Stored<Transfer>): number => underWay.get(value.account) ?? 0;
  return claimable.toSorted((a, b) => load(a) - load(b) || (a.value.created_at < b.value.created_at ? -1 : 1));
}
