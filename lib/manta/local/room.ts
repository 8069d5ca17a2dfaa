import { statfs } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { InsufficientStorageError } from '../errors.ts';
import { isFull, storeFailure } from './failure.ts';
import { bytesBelow } from './usage.ts';

/** Milliseconds after which what other processes wrote and removed is counted again. */
const STALE = 60_000;
const MOST_COUNTS = 3;

export interface RoomOptions {
  readonly root: string;
  /** Bytes that the whole root may hold. */
  readonly quota: number | undefined;
  readonly clock: Clock;
}

/**
 * Who may write how much. Sessions of this process that said how much will come have it reserved. With a quota, the
 * bytes below the root are counted once and the figure is kept up from then on; what other processes do is seen by
 * counting again, now and then and before anybody is refused.
 */
export class Room {
  readonly #root: string;
  readonly #quota: number | undefined;
  readonly #clock: Clock;
  readonly #allotments = new Set<Allotment>();
  /** Bytes below the root, without those that the sessions open here have staged. */
  #kept = 0;
  #changes = 0;
  #countedAt = 0;

  constructor(options: RoomOptions) {
    this.#root = options.root;
    this.#quota = options.quota;
    this.#clock = options.clock;
  }

  get limited(): boolean {
    return this.#quota !== undefined;
  }

  /** @throws InsufficientStorageError when `expect` bytes do not fit */
  async allot(staged: string, expect = 0): Promise<Allotment> {
    if (this.limited && this.#clock.now() - this.#countedAt > STALE) {
      await this.count();
    }
    const disk = await this.#disk();
    if (expect > this.#quotaLeft()) {
      await this.count();
    }
    const available = this.#available(disk);
    if (expect > available) {
      throw new InsufficientStorageError(expect, available);
    }
    const allotment = new Allotment(this, staged, expect);
    this.#allotments.add(allotment);
    this.#changes += 1;
    return allotment;
  }

  async free(): Promise<number> {
    return this.#available(await this.#disk());
  }

  /** @throws InsufficientStorageError when the quota has no `bytes` more */
  async claim(bytes: number): Promise<void> {
    if (bytes > this.#quotaLeft()) {
      await this.count();
      const left = this.#quotaLeft();
      if (bytes > left) {
        throw new InsufficientStorageError(bytes, Math.max(0, left));
      }
    }
  }

  /** The error to throw for one that came from the file system while `needed` bytes were to be written. */
  async explain(error: unknown, needed: number): Promise<unknown> {
    if (!isFull(error)) {
      return storeFailure(error);
    }
    const full = new InsufficientStorageError(needed, await this.free());
    full.cause = error;
    return full;
  }

  /** Ends a session's allotment, of which `kept` bytes stay below the root. */
  settle(allotment: Allotment, kept: number): void {
    if (this.#allotments.delete(allotment)) {
      this.change(kept);
    }
  }

  /** Bytes that came (or, negative, went) by other ways than a session's writing. */
  change(bytes: number): void {
    this.#kept += bytes;
    this.#changes += 1;
  }

  /** Counts what is below the root. A count that something changed under is no better than the figure at hand. */
  async count(): Promise<void> {
    for (let turn = 0; this.limited && turn < MOST_COUNTS; turn += 1) {
      const changes = this.#changes;
      const open = new Set([...this.#allotments].map((allotment) => allotment.staged));
      const found = await bytesBelow(this.#root, open);
      if (changes === this.#changes) {
        this.#kept = found;
        break;
      }
    }
    this.#countedAt = this.#clock.now();
  }

  #available(disk: number): number {
    const outstanding = this.#sum((allotment) => allotment.outstanding);
    return Math.max(0, Math.min(disk - outstanding, this.#quotaLeft()));
  }

  #quotaLeft(): number {
    if (this.#quota === undefined) {
      return Number.POSITIVE_INFINITY;
    }
    return this.#quota - this.#kept - this.#sum((allotment) => allotment.size + allotment.outstanding);
  }

  #sum(of: (allotment: Allotment) => number): number {
    let sum = 0;
    for (const allotment of this.#allotments) {
      sum += of(allotment);
    }
    return sum;
  }

  async #disk(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }
}

/** One session's share of the room. */
export class Allotment {
  readonly staged: string;
  readonly #room: Room;
  readonly #expect: number;
  #size = 0;

  constructor(room: Room, staged: string, expect: number) {
    this.#room = room;
    this.staged = staged;
    this.#expect = expect;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that are reserved and did not come yet. */
  get outstanding(): number {
    return Math.max(0, this.#expect - this.#size);
  }

  /** @throws InsufficientStorageError when `bytes` more do not fit */
  async claim(bytes: number): Promise<void> {
    const beyond = bytes - this.outstanding;
    if (this.#room.limited && beyond > 0) {
      await this.#room.claim(beyond);
    }
  }

  grow(bytes: number): void {
    this.#size += bytes;
  }

  settle(kept: number): void {
    this.#room.settle(this, kept);
  }
}
