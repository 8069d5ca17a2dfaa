import { statfs } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import { InsufficientStorageError } from '../errors.ts';
import { isFull, storeFailure } from './failure.ts';
import { bytesBelow } from './usage.ts';

/** Milliseconds after which usage is counted again, to include what other processes wrote and removed. */
const STALE = 60_000;
const MOST_COUNTS = 3;
/** Milliseconds for which the disk's free space is extrapolated from the last look at it. */
const DISK_STALE = 1000;
/** With less than this many bytes to spare, the disk is looked at every time. */
const DISK_NEAR = 64 * 1024 * 1024;
/** Milliseconds that a reservation lasts without new bytes; also the most that bytes can extend it to. */
const RESERVED_FOR = 10_000;
/** Bytes per second that keep a reservation alive. A slower writer loses it, and then gets only what is free. */
const RESERVING_RATE = 64 * 1024;

export interface RoomOptions {
  readonly root: string;
  /** Maximum bytes below the root. */
  readonly quota: number | undefined;
  /** Bytes of the disk to keep free for essential objects and for other writers. */
  readonly headroom: number;
  readonly clock: Clock;
}

/**
 * Decides who may write how much. Space is reserved for sessions of this process that announce their size, for as long
 * as bytes keep coming. With a quota, the bytes below the root are counted once, and the figure is kept up to date.
 * To see what other processes do, they are counted again now and then, and before any write is refused.
 */
export class Room {
  readonly #root: string;
  readonly #quota: number | undefined;
  readonly #headroom: number;
  readonly #clock: Clock;
  readonly #allotments = new Set<Allotment>();
  /** Bytes below the root, except those staged by the sessions that are open here. */
  #kept = 0;
  #changes = 0;
  #countedAt = 0;
  /** Bytes that were free on the disk at the last look, less what was claimed since. */
  #disk = { free: 0, at: Number.NEGATIVE_INFINITY };

  constructor(options: RoomOptions) {
    this.#root = options.root;
    this.#quota = options.quota;
    this.#headroom = options.headroom;
    this.#clock = options.clock;
  }

  get limited(): boolean {
    return this.#quota !== undefined;
  }

  now(): number {
    return this.#clock.now();
  }

  /**
   * @param essential ignores the quota and the headroom
   * @param has how many of the bytes are there already
   * @throws InsufficientStorageError when `expect` bytes do not fit
   */
  async allot(staged: string, expect = 0, essential = false, has = 0): Promise<Allotment> {
    if (this.limited && this.#clock.now() - this.#countedAt > STALE) {
      await this.count();
    }
    await this.#lookAtDisk();
    const needed = Math.max(0, expect - has);
    if (needed + has > this.#quotaLeft()) {
      await this.count();
    }
    const available = this.#available();
    if (needed > available && !essential) {
      throw new InsufficientStorageError(needed, available);
    }
    const allotment = new Allotment(this, staged, { expect, has }, essential);
    this.#allotments.add(allotment);
    this.#changes += 1;
    return allotment;
  }

  async free(): Promise<number> {
    await this.#lookAtDisk();
    return this.#available();
  }

  /**
   * Claims bytes that are about to be written, `reserved` of them under a reservation.
   * @throws InsufficientStorageError when they exceed the quota or the disk
   */
  async claim(bytes: number, reserved: number): Promise<void> {
    const beyond = bytes - reserved;
    if (beyond > this.#quotaLeft()) {
      await this.count();
      const left = this.#quotaLeft();
      if (beyond > left) {
        throw new InsufficientStorageError(bytes, Math.max(0, left));
      }
    }
    if (this.#diskLeft(bytes, beyond) < DISK_NEAR || performance.now() - this.#disk.at > DISK_STALE) {
      await this.#lookAtDisk();
      const left = this.#diskLeft(bytes, beyond);
      if (left < 0) {
        throw new InsufficientStorageError(bytes, Math.max(0, bytes + left));
      }
    }
    this.#disk.free -= bytes;
  }

  /** Whether this many bytes can be reserved. */
  async fits(bytes: number): Promise<boolean> {
    return bytes <= (await this.free());
  }

  /** The error to throw for a file system error that occurred while `needed` bytes were to be written. */
  async explain(error: unknown, needed: number): Promise<unknown> {
    if (!isFull(error)) {
      return storeFailure(error);
    }
    const full = new InsufficientStorageError(needed, await this.free());
    full.cause = error;
    return full;
  }

  /** Ends a session's allotment; `kept` of its bytes stay below the root. */
  settle(allotment: Allotment, kept: number): void {
    if (this.#allotments.delete(allotment)) {
      this.change(kept);
    }
  }

  /** Accounts for bytes that were added (or, if negative, removed) other than by a session's writes. */
  change(bytes: number): void {
    this.#kept += bytes;
    this.#changes += 1;
  }

  /** Counts the bytes below the root. If something changed meanwhile, the result is no better than the old figure. */
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

  #available(): number {
    const outstanding = this.#sum((allotment) => allotment.outstanding);
    return Math.max(0, Math.min(this.#disk.free - this.#headroom - outstanding, this.#quotaLeft()));
  }

  /** What the disk has left after a write. Bytes `beyond` the writer's reservation must not use other reservations. */
  #diskLeft(bytes: number, beyond: number): number {
    const free = this.#disk.free - this.#headroom;
    return beyond > 0 ? free - this.#sum((allotment) => allotment.outstanding) - beyond : free - bytes;
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

  async #lookAtDisk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#root);
    this.#disk = { free: bavail * bsize, at: performance.now() };
  }
}

/** One session's share of the room. */
export class Allotment {
  readonly staged: string;
  readonly #room: Room;
  readonly #essential: boolean;
  #expect: number;
  #size = 0;
  /** When the reservation lapses, unless bytes come. */
  #until: number;

  constructor(room: Room, staged: string, { expect, has }: { expect: number; has: number }, essential: boolean) {
    this.#room = room;
    this.staged = staged;
    this.#expect = expect;
    this.#size = has;
    this.#essential = essential;
    this.#until = room.now() + RESERVED_FOR;
  }

  get size(): number {
    return this.#size;
  }

  /** Reserved bytes that have not come yet. They lapse, so announcing much and sending nothing blocks nobody. */
  get outstanding(): number {
    return this.#stands() ? Math.max(0, this.#expect - this.#size) : 0;
  }

  /** @throws InsufficientStorageError when `bytes` more do not fit */
  async claim(bytes: number): Promise<void> {
    if (this.#essential) {
      return;
    }
    // A lapsed reservation is renewed if the space is still free.
    if (this.#expect > this.#size && !this.#stands() && !(await this.#room.fits(this.#expect - this.#size))) {
      this.#expect = this.#size;
    }
    await this.#room.claim(bytes, Math.min(bytes, this.outstanding));
  }

  /** Each byte extends the reservation by the time that it takes at the slowest allowed rate. */
  grow(bytes: number): void {
    this.#size += bytes;
    const now = this.#room.now();
    const bought = (bytes / RESERVING_RATE) * 1000;
    this.#until = Math.min(now + RESERVED_FOR, (this.#stands() ? this.#until : now) + bought);
  }

  /** An end too far in the future was computed before the clock was set back, and does not count. */
  #stands(): boolean {
    const left = this.#until - this.#room.now();
    return left > 0 && left <= RESERVED_FOR;
  }

  settle(kept: number): void {
    this.#room.settle(this, kept);
  }
}
