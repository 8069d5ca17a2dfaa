/**
 * The engine that does the copying. Any number of processes may run it, and any of them may work on any order.
 *
 * A *pass* looks at what waits in the store. It claims transfers that are queued or whose lease has run out, each
 * account in its turn (`turns.ts`) and within the limits, and settles orders whose images are all here. Its only input
 * is the store, so that recovery after a crash needs no code of its own. A pass runs by a timer, after every transfer
 * that ends in this process, and by a nudge after every request.
 *
 * No pass reads everything. The orders of a transfer that ended here are settled at once. A pass also looks at the
 * newest live orders, and at the next page of all live ones, to find what another process left half done.
 */
import type { Filter, Stored } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { Passes } from '#lib/runtime/passes.ts';
import { startTimer } from '#lib/runtime/timers.ts';
import type { StoredImage } from '../../images/record/load.ts';
import type { Caller, Service } from '../../service/service.ts';
import {
  COPIES,
  type CopyOrder,
  claimantOf,
  claimantOfOrder,
  putTransfer,
  TRANSFERS,
  type Transfer,
} from '../documents/model.ts';
import { deletePlaceholder } from '../orders/cancel.ts';
import { settleOrder } from '../orders/commit-order.ts';
import { noteLateness } from '../orders/deadline.ts';
import { removePlaceholder } from '../orders/remove-placeholder.ts';
import { claim, isClaimable, releaseAttempt } from './attempt.ts';
import { freeTransfersOfDead, isRoomBeside, runningTransfers } from './bandwidth.ts';
import type { CountBytes } from './copy-metrics.ts';
import { runTransfer, WorkerStopped } from './transfer.ts';
import { type Room, Turns } from './turns.ts';

export interface CopyWorker {
  /** Starts a pass soon, because something new was written. */
  nudge(): void;
  /** DeleteImage of a placeholder: cancels a live copy, removes the rest of a failed one. @throws ApiError */
  deletePlaceholder(stored: StoredImage, caller: Caller): Promise<void>;
  /** For an AdminImport that replaces a failed copy. @throws EtagConflictError if it changed since it was read */
  removePlaceholder(placeholder: StoredImage): Promise<void>;
  /** Gives transfers under way back, for other processes to continue at once. Resolves when all bytes are safe. */
  stop(): Promise<void>;
}

export interface CopyWorkerOptions {
  /** Milliseconds between two passes by the timer. */
  readonly pollMs?: number;
  readonly countBytes?: CountBytes;
  /** Called when it is first seen that an order will not end by the time that was asked for. */
  readonly onLate?: () => void;
}

const POLL_MS = 2000;
/** Shortest time from the start of a transfer to the pass that follows its end. */
const SHORTEST_TURN_MS = 20;
/** How many documents to read at a time. */
const PAGE = 50;
/** How many orders of one claimant (an account, say) to settle at the same time. */
const MOST_SETTLING = 8;

export function startCopyWorker(service: Service, options: CopyWorkerOptions = {}): CopyWorker {
  const worker = new Worker(service, options);
  return {
    nudge: () => worker.nudge(),
    async deletePlaceholder(stored, caller) {
      await deletePlaceholder(service, stored, caller);
      worker.nudge();
    },
    removePlaceholder: (placeholder) => removePlaceholder(service, placeholder),
    stop: () => worker.stop(),
  };
}

class Worker {
  readonly #service: Service;
  readonly #options: CopyWorkerOptions;
  readonly #stopping = new AbortController();
  /** Transfers that run in this process, by image. */
  readonly #running = new Map<string, Promise<void>>();
  /** Orders that this process is settling. That may take a while, because the source is asked again. */
  readonly #settling = new Map<string, { readonly claimant: string; readonly settled: Promise<void> }>();
  /** Orders to settle in the next pass, with their claimants. */
  readonly #unsettled = new Map<string, string>();
  readonly #turns: Turns;
  /** The last order read, from which the next pass continues through the live orders. */
  #lastOrder = '';
  #isAdopted = false;
  readonly #passes: Passes;

  constructor(service: Service, options: CopyWorkerOptions) {
    const { pollMs = POLL_MS } = options;
    this.#service = service;
    this.#options = options;
    this.#turns = new Turns(service);
    this.#passes = new Passes({
      run: () => this.#runPass(),
      everyMs: pollMs,
      onFailed: (err) => service.log.error({ err }, 'cannot work on copies at the moment'),
    });
  }

  nudge(): void {
    this.#passes.nudge();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new WorkerStopped());
    await this.#passes.stop();
    await Promise.all([...this.#running.values(), ...[...this.#settling.values()].map(({ settled }) => settled)]);
  }

  async #runPass(): Promise<void> {
    if (!this.#isAdopted) await this.#adopt();
    await freeTransfersOfDead(this.#service);
    if (await this.#claimSome()) this.#nudgeSoon();
    for (const [order, claimant] of [...this.#unsettled]) {
      this.#unsettled.delete(order);
      this.#settle(order, claimant);
    }
    await this.#settleSome(await this.#liveOrders());
  }

  /** Puts live transfers that an earlier version wrote into lanes. */
  async #adopt(): Promise<void> {
    const { store } = this.#service;
    const filter: Filter = {
      op: 'and',
      of: [
        { op: 'eq', field: 'live', value: true },
        { op: 'not', of: { op: 'exists', field: 'lane' } },
      ],
    };
    for (let found = await store.find(TRANSFERS, { filter, limit: PAGE }); found.length > 0; ) {
      for (const { value, etag } of found) await unlessChanged(store.batch([putTransfer(value, etag)]));
      found = await store.find(TRANSFERS, { filter, limit: PAGE });
    }
    this.#isAdopted = true;
  }

  /** Resolves to true if more may be left to claim than one pass looks at. */
  async #claimSome(): Promise<boolean> {
    const service = this.#service;
    let running = await runningTransfers(service);
    const room: Room = {
      isFull: () => this.#running.size >= service.config.copies.concurrency || this.#stopping.signal.aborted,
      takes: (account, source) => isRoomBeside(service, running, account, source),
    };
    return this.#turns.give(room, async (stored) => {
      const isFree = isClaimable(stored.value, service.store.now(), service.config.copies);
      if (!isFree || this.#running.has(stored.key)) return false;
      const claimed = await this.#claimWithinLimits(stored);
      running = await runningTransfers(service);
      if (claimed) this.#run(claimed);
      return claimed !== undefined;
    });
  }

  async #claimWithinLimits(stored: Stored<Transfer>): Promise<Transfer | undefined> {
    const service = this.#service;
    const claimed = await claim(service, stored);
    if (claimed === 'lost') for (const order of stored.value.orders) this.#settle(order, claimantOf(stored.value));
    if (!claimed || claimed === 'lost') return undefined;
    // Other processes may have claimed at the same moment. If the limits are exceeded, the latest ones give way.
    const running = await runningTransfers(service);
    const earlier = running.slice(
      0,
      running.findIndex(({ key }) => key === claimed.image),
    );
    if (isRoomBeside(service, earlier, claimantOf(claimed), claimed.source)) return claimed;
    await releaseAttempt(service, claimed, {});
    return undefined;
  }

  #run(claimed: Transfer): void {
    const { image, source, attempt } = claimed;
    this.#service.log.info({ image, source, attempt, bytes: claimed.bytes }, 'transfer started');
    const begin = performance.now();
    const run = this.#carry(claimed).finally(() => {
      this.#running.delete(image);
      // If every attempt ends at once, this keeps the process from retrying without a pause.
      startTimer(() => this.nudge(), Math.max(0, SHORTEST_TURN_MS - (performance.now() - begin)));
    });
    this.#running.set(image, run);
  }

  /** Settles the transfer's orders right after it, because a pass may come to them only later. */
  async #carry(claimed: Transfer): Promise<void> {
    await runTransfer(this.#service, claimed, this.#stopping.signal, this.#options.countBytes);
    if (this.#stopping.signal.aborted) return;
    try {
      const ended = (await this.#service.store.get(TRANSFERS, claimed.image))?.value;
      if (ended?.state === 'received') for (const order of ended.orders) this.#settle(order, claimantOf(ended));
    } catch (error) {
      this.#service.log.warn({ err: error, image: claimed.image }, 'the orders of a transfer are left to a later pass');
    }
  }

  /** The newest live orders, and the next page of all of them, continued from pass to pass. */
  async #liveOrders(): Promise<Stored<CopyOrder>[]> {
    const { store } = this.#service;
    const filter = { op: 'eq', field: 'live', value: true } as const;
    const page = await store.find(COPIES, { filter, limit: PAGE, after: { value: null, key: this.#lastOrder } });
    this.#lastOrder = page.length < PAGE ? '' : (page.at(-1)?.key ?? '');
    const newest = await store.find(COPIES, { filter, limit: PAGE, sort: { field: 'created_at', order: 'desc' } });
    return [...new Map([...page, ...newest].map((stored) => [stored.key, stored])).values()];
  }

  /** Settles the orders, except those that still wait for bytes. */
  async #settleSome(orders: readonly Stored<CopyOrder>[]): Promise<void> {
    const images = [...new Set(orders.flatMap(({ value }) => value.images))];
    const transfers = images.length > 0 ? await this.#service.store.getMany(TRANSFERS, images) : [];
    await this.#noteLateness(orders, transfers);
    const coming = new Set(
      transfers.filter(({ value }) => value.live && value.state !== 'received').map(({ key }) => key),
    );
    for (const { key, value } of orders) {
      if (!value.images.some((image) => coming.has(image))) this.#settle(key, claimantOfOrder(value));
    }
  }

  async #noteLateness(orders: readonly Stored<CopyOrder>[], found: readonly Stored<Transfer>[]): Promise<void> {
    const transfers = new Map(found.map(({ key, value }) => [key, value]));
    for (const order of orders) {
      if (await noteLateness(this.#service, order, transfers)) this.#options.onLate?.();
    }
  }

  /** Settles an order. Limited per claimant, because each may wait for its source to answer. */
  #settle(order: string, claimant: string): void {
    if (this.#settling.has(order)) return;
    const others = [...this.#settling.values()].filter((other) => other.claimant === claimant);
    if (others.length >= MOST_SETTLING) {
      this.#unsettled.set(order, claimant);
      return;
    }
    const settled = settleOrder(this.#service, order, this.#stopping.signal)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#unsettled.set(order, claimant);
        this.#service.log.warn({ err: error, order }, 'order not settled; it will be tried again');
      })
      .finally(() => {
        this.#settling.delete(order);
        if (others.length === MOST_SETTLING - 1) this.nudge();
      });
    this.#settling.set(order, { claimant, settled });
  }

  #nudgeSoon(): void {
    startTimer(() => this.nudge(), SHORTEST_TURN_MS).unref();
  }
}
