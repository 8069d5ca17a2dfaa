import { startInterval, type Timer } from '../runtime/timers.ts';
import { ObjectStoreUnavailableError } from './errors.ts';
import { letGo } from './let-go.ts';

/** Blocks that are kept although nobody uses them: making and freeing memory takes longer than filling it. */
const MOST_SPARE = 4;

/** Whoever fills blocks. */
export interface BlockHolder {
  /** `performance.now()` as of which others may have its block, which is not full; undefined if it has none. */
  readonly waitingSince: number | undefined;
  /** Brings its bytes elsewhere, and gives the block back. */
  park(): Promise<void>;
}

interface Waiter {
  readonly resolve: (block: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

/** Milliseconds. Only while the store takes nothing does anybody wait so long. */
const LONGEST_WAIT = 120_000;

/**
 * The memory of all sessions' parts: blocks of one size, given out in the order in which they were asked for. A session
 * that waits for its source cannot keep others from theirs: when these have waited, the one that has waited the longest
 * has to park what it has.
 */
export class BlockPool {
  readonly blockSize: number;
  readonly #most: number;
  readonly #patience: number;
  readonly #holders = new Set<BlockHolder>();
  readonly #spare: Uint8Array[] = [];
  readonly #waiters: Waiter[] = [];
  #lent = 0;
  #timer: Timer | undefined;

  /** @param patience milliseconds */
  constructor(blockSize: number, bytes: number, patience: number) {
    this.blockSize = blockSize;
    this.#most = Math.max(1, Math.floor(bytes / blockSize));
    this.#patience = patience;
  }

  /** Bytes that are in use. */
  get used(): number {
    return this.#lent * this.blockSize;
  }

  join(holder: BlockHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: BlockHolder): void {
    this.#holders.delete(holder);
  }

  /** @throws ObjectStoreUnavailableError when no block comes free for a long time */
  async take(): Promise<Uint8Array> {
    if (this.#lent < this.#most && this.#waiters.length === 0) {
      this.#lent += 1;
      return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.blockSize);
    }
    this.#timer ??= startInterval(() => this.#press(), this.#patience).unref();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject, since: performance.now() }));
  }

  give(block: Uint8Array): void {
    const next = this.#waiters.shift();
    if (next) {
      next.resolve(block);
    } else {
      this.#lent -= 1;
      if (this.#spare.length < MOST_SPARE) this.#spare.push(block);
      else letGo(block);
    }
    if (this.#waiters.length === 0) this.#rest();
  }

  close(): void {
    this.#rest();
    for (const block of this.#spare.splice(0)) letGo(block);
  }

  #rest(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #press(): void {
    const before = performance.now() - this.#patience;
    const [first] = this.#waiters;
    if (!first || first.since > before) return;
    if (first.since < performance.now() - LONGEST_WAIT) {
      this.#waiters.shift();
      first.reject(new ObjectStoreUnavailableError('the object store takes no bytes, and all memory for them is used'));
    }
    let idlest: BlockHolder | undefined;
    for (const holder of this.#holders) {
      const since = holder.waitingSince ?? before;
      if (since < (idlest?.waitingSince ?? before)) idlest = holder;
    }
    // If it cannot, it is asked again, or the next one is.
    idlest?.park().catch(() => undefined);
  }
}
