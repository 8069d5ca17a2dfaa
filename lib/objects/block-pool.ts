import { startInterval, type Timer } from '../runtime/timers.ts';
import { ObjectStoreUnavailableError } from './errors.ts';
import { letGo } from './let-go.ts';

/** Blocks that are kept although nobody uses them: making and freeing memory takes longer than filling it. */
const MOST_SPARE = 4;

/** Whoever fills blocks. */
export interface BlockHolder {
  /** `performance.now()` as of which others may have its block, which is not full; undefined if it has none. */
  readonly waitingSince: number | undefined;
  /** Since when bytes have come so slowly that it counts as slow, although they come; undefined if they do not. */
  readonly slowSince?: number | undefined;
  /** Brings its bytes elsewhere, and gives the block back. */
  park(): Promise<void>;
}

interface Waiter {
  readonly holder: BlockHolder;
  readonly resolve: (block: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

/** Milliseconds. Only while the store takes nothing does nobody get a block for so long. */
const LONGEST_WAIT = 120_000;

/**
 * The memory of all sessions' parts: blocks of one size, given out in the order in which they were asked for. A session
 * that waits for its source cannot keep others from theirs: when these have waited, the one that has waited the longest
 * has to park what it has. Whoever had to is slow until it has filled a block, and while others wait all that are slow have
 * no more than half of the blocks: however many they are, those who fill theirs do not stand in line behind them.
 */
export class BlockPool {
  readonly blockSize: number;
  readonly #most: number;
  readonly #patience: number;
  readonly #holders = new Set<BlockHolder>();
  readonly #spare: Uint8Array[] = [];
  readonly #waiters: Waiter[] = [];
  /** Whom each block was given to. */
  readonly #lent = new Map<Uint8Array, BlockHolder>();
  readonly #slow = new Set<BlockHolder>();
  #wasForSlow = false;
  /** When somebody who waited last got a block. */
  #gaveAt = 0;
  #timer: Timer | undefined;

  /** @param patience milliseconds */
  constructor(blockSize: number, bytes: number, patience: number) {
    this.blockSize = blockSize;
    this.#most = Math.max(1, Math.floor(bytes / blockSize));
    this.#patience = patience;
  }

  /** Bytes that are in use. */
  get used(): number {
    return this.#lent.size * this.blockSize;
  }

  join(holder: BlockHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: BlockHolder): void {
    this.#holders.delete(holder);
    this.#slow.delete(holder);
  }

  /** It has filled a block. */
  filled(holder: BlockHolder): void {
    this.#slow.delete(holder);
  }

  /**
   * @param signal takes it out of the line. Where there is a block it is given all the same: what has come is kept
   * @throws ObjectStoreUnavailableError when no block comes free for a long time; the reason of the signal
   */
  async take(holder: BlockHolder, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#lent.size < this.#most && this.#waiters.length === 0) {
      const block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.blockSize);
      this.#lent.set(block, holder);
      return block;
    }
    signal?.throwIfAborted();
    this.#timer ??= startInterval(() => this.#press(), this.#patience).unref();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const waiter: Waiter = { holder, resolve, reject, since: performance.now() };
    const leave = () => this.#leaveLine(waiter, signal?.reason);
    this.#waiters.push(waiter);
    signal?.addEventListener('abort', leave);
    return promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  give(block: Uint8Array): void {
    this.#lent.delete(block);
    const next = this.#takeNext();
    if (next) {
      this.#lent.set(block, next.holder);
      next.resolve(block);
    } else {
      if (this.#spare.length < MOST_SPARE) this.#spare.push(block);
      else letGo(block);
    }
    if (this.#waiters.length === 0) this.#rest();
  }

  close(): void {
    this.#rest();
    for (const block of this.#spare.splice(0)) letGo(block);
  }

  #leaveLine(waiter: Waiter, why: Error): void {
    const at = this.#waiters.indexOf(waiter);
    // Given a block in this very turn: its owner finds out when it asks its source for more.
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    waiter.reject(why);
    if (this.#waiters.length === 0) this.#rest();
  }

  /** Of those who wait, the one who gets the block that has come free. */
  #takeNext(): Waiter | undefined {
    const isSlow = ({ holder }: Pick<Waiter, 'holder'>): boolean => this.#slow.has(holder);
    const slow = this.#waiters.findIndex(isSlow);
    const other = this.#waiters.findIndex((waiter) => !isSlow(waiter));
    const next = slow >= 0 && (other < 0 || this.#isTurnOfSlow) ? slow : other;
    if (next < 0) return undefined;
    this.#wasForSlow = next === slow;
    this.#gaveAt = performance.now();
    return this.#waiters.splice(next, 1)[0];
  }

  get #isTurnOfSlow(): boolean {
    // One block has no half: they take turns.
    if (this.#most === 1) return !this.#wasForSlow;
    let held = 0;
    for (const holder of this.#lent.values()) if (this.#slow.has(holder)) held += 1;
    return held < Math.floor(this.#most / 2);
  }

  #rest(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #press(): void {
    const before = performance.now() - this.#patience;
    const [first] = this.#waiters;
    if (!first || first.since > before) return;
    if (Math.max(first.since, this.#gaveAt) < performance.now() - LONGEST_WAIT) {
      this.#waiters.shift();
      first.reject(new ObjectStoreUnavailableError('the object store takes no bytes, and all memory for them is used'));
    }
    // One for each kind that waits, because the blocks that come free are shared between both.
    const kinds = new Set(this.#waiters.map(({ holder }) => this.#slow.has(holder)));
    for (const holder of this.#idlest(before).slice(0, kinds.size)) {
      this.#slow.add(holder);
      // If it cannot, it is asked again, or the next one is.
      holder.park().catch(() => undefined);
    }
  }

  /** Those whose blocks others may have, the idlest first. */
  #idlest(before: number): BlockHolder[] {
    const found: { readonly holder: BlockHolder; readonly since: number }[] = [];
    for (const holder of this.#holders) {
      const since = Math.min(holder.waitingSince ?? before, holder.slowSince ?? before);
      if (since < before) found.push({ holder, since });
    }
    return found.sort((a, b) => a.since - b.since).map(({ holder }) => holder);
  }
}
