/**
 * Documents that move from one store to another while processes use them. The old store is *fenced*: it refuses all reads
 * and writes of all processes until the move is done, and then for good, or until the fence is lifted.
 */
import { StoreUnavailableError } from '../errors.ts';
import { isHeldBy } from '../lease.ts';
import type { Store } from '../store.ts';
import type { Changes } from './changes.ts';

/** What lies on a fenced store. */
export interface Moved {
  /** Random; the same on both sides of a move. */
  readonly nonce: string;
  /** The engine that the documents go to. */
  readonly to: string;
  /** Greater than that of any earlier move, so that it is known which of two stores was left last. */
  readonly epoch: number;
  /** `done`: the documents are there now. `moving`: nobody may read or write them anywhere. */
  readonly state: 'moving' | 'done';
  /** While `moving`: the process that moves them, and until when it may, by the store's clock; then the fence is void. */
  readonly worker: string;
  readonly until: number;
  /** Milliseconds from the last renewal to `until`. */
  readonly length: number;
}

/** Who raised a fence. */
export type Raised = Pick<Moved, 'nonce' | 'worker'>;

export interface Fence {
  /** Milliseconds since the epoch by the clock of the store. */
  now(): Promise<number>;
  read(): Promise<Moved | undefined>;
  /**
   * Waits for the writes under way, then makes the store refuse every later call with {@link StoreMovedError}. False if
   * it is fenced already by a move that is not earlier; true if exactly this is there.
   */
  raise(moved: Moved): Promise<boolean>;
  /** Replaces what the same process wrote with {@link raise}. False if that is not there any more or the move is done. */
  change(moved: Moved): Promise<boolean>;
  /** Lets the store be used again. False as for {@link change}. */
  lift(raised: Raised): Promise<boolean>;
  /** Removes what a move before that epoch left behind the fence, which stays: there may be documents here again. */
  clear(epoch: number): Promise<void>;
  /** Forgets an earlier move and what was left behind its fence: the documents have come back to this store. */
  forget(epoch: number): Promise<void>;
  /** The documents behind the fence, for reading. The caller closes it. */
  behind(): Promise<Store>;
  /**
   * What is written before the fence is raised. Undefined: nobody notes it, and the fence keeps only those out who look for
   * it, so it is raised only by the last process that uses the store, and before anything is copied.
   */
  readonly changes: Changes | undefined;
}

/** The documents are being moved, or have moved, to another store. A batch that failed this way was not written. */
export class StoreMovedError extends StoreUnavailableError {
  override readonly name = 'StoreMovedError';
  readonly moved: Moved;

  constructor(moved: Moved) {
    const how = moved.state === 'done' ? 'have moved' : 'are being moved';
    super(`the documents ${how} to "${moved.to}"`);
    this.moved = moved;
  }
}

/** Whether whoever raised the fence may still be at work. */
export function isAtWork({ worker, until, length }: Moved, now: number): boolean {
  return isHeldBy(worker, until, length, now);
}

/**
 * Whether an etag means the state that another store knew by `earlier`: an object that was moved keeps its etag, or has it
 * at the end of its own, until it is written again.
 */
export function isSameState(etag: string, earlier: string): boolean {
  return etag === earlier || etag.endsWith(`.${earlier}`);
}

/**
 * Which documents of a database that may be fenced are meant: those behind the fence, or those that are there if nothing
 * has moved since that epoch.
 */
export type Place = 'behind-fence' | { readonly since: number };

/** @throws StoreMovedError */
export function assertHere(moved: Moved | undefined, place: Place): void {
  if (moved && place !== 'behind-fence' && moved.epoch >= place.since) throw new StoreMovedError(moved);
}
