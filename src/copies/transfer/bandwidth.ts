/**
 * How many transfers run at a time, and how fast. Their number is limited per process, and across all processes per
 * link and per account, so that neither one account nor one slow source takes all places. All transfers of a link share
 * its bandwidth, whichever process runs them: at each heartbeat a transfer reads which are running and takes its
 * share (`shares.ts`).
 */
import { isHeld } from '#lib/documents/lease.ts';
import type { Stored, WithStore } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { hasDied } from '#lib/runtime/process-name.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { claimantOf, putTransfer, TRANSFERS, type Transfer } from '../documents/model.ts';
import { claimsOf } from '../orders/deadline.ts';
import { sharesOf } from './shares.ts';
import { budgetAt } from './windows.ts';

const RUNNING = { filter: { op: 'eq', field: 'state', value: 'running' } } as const;

/** Transfers that a worker holds, oldest claim first. There are never many, because places are limited. */
export async function runningTransfers(service: WithStore & WithConfig): Promise<Stored<Transfer>[]> {
  const found = await service.store.find(TRANSFERS, RUNNING);
  const now = service.store.now();
  return found.filter(({ value }) => isHeld(value.lease, now)).sort(bySeniority);
}

/** Makes ready what a process that died on this host was working on; otherwise its lease would have to run out. */
export async function freeTransfersOfDead({ store }: WithStore): Promise<void> {
  for (const { value, etag } of await store.find(TRANSFERS, RUNNING)) {
    const { lease, ...rest } = value;
    if (lease && hasDied(lease.worker)) await unlessChanged(store.batch([putTransfer(rest, etag)]));
  }
}

/** The transfer that was claimed first keeps its place, and every process gets the same order. */
function bySeniority(a: Stored<Transfer>, b: Stored<Transfer>): number {
  return (a.value.claimed_at ?? 0) - (b.value.claimed_at ?? 0) || (a.key < b.key ? -1 : 1);
}

/** A transfer's share of its link's bandwidth, in bytes per second; undefined if there is no limit. */
export async function fairShare(
  service: WithStore & WithConfig,
  { source, image }: Pick<Transfer, 'source' | 'image'>,
): Promise<number | undefined> {
  const budget = budgetAt(service.config.copies.bandwidth, source, service.store.now());
  if (budget === undefined) return undefined;
  const running = (await runningTransfers(service)).map(({ value }) => value).filter((one) => one.source === source);
  return sharesOf(budget, await claimsOf(service, running)).get(image) ?? budget / (running.length + 1);
}

/** Whether one more may start, given those that are running. */
export function isRoomBeside(
  { config }: WithConfig,
  running: readonly Stored<Transfer>[],
  claimant: string,
  source?: string,
): boolean {
  const { perAccount, perLink } = config.copies;
  if (running.filter(({ value }) => claimantOf(value) === claimant).length >= perAccount) return false;
  return source === undefined || running.filter(({ value }) => value.source === source).length < perLink;
}

/** Longest single pause, so that a raised rate takes effect soon. */
const LONGEST_PAUSE_MS = 250;
/** Size of a burst after a lull, in seconds at the current rate. */
const BURST_SECONDS = 0.25;

/** Lets bytes pass at a limited rate, which may change at any time. */
export class Throttle {
  #rate: number | undefined;
  #available = 0;
  #filledAt = performance.now();

  /** Bytes per second; undefined: no limit. */
  set rate(rate: number | undefined) {
    this.#rate = rate;
  }

  get rate(): number | undefined {
    return this.#rate;
  }

  async *limit(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      // The consumer may release the chunk's memory, so its length is read first.
      const { length } = chunk;
      yield chunk;
      await this.#spend(length, signal);
    }
  }

  /** Waits until the rate allows for bytes that have just passed. */
  async #spend(bytes: number, signal: AbortSignal): Promise<void> {
    this.#refill();
    this.#available -= bytes;
    while (this.#rate !== undefined && this.#available < 0) {
      await pause(Math.min(LONGEST_PAUSE_MS, (-this.#available / this.#rate) * 1000), signal);
      this.#refill();
    }
  }

  #refill(): void {
    const now = performance.now();
    const elapsed = (now - this.#filledAt) / 1000;
    this.#filledAt = now;
    if (this.#rate === undefined) this.#available = 0;
    else this.#available = Math.min(this.#available + elapsed * this.#rate, this.#rate * BURST_SECONDS);
  }
}
