/**
 * How many connections a transfer uses. It begins with a few, and takes more for as long as the total grows; all
 * transfers of the process together have a limit, of which each has the same share.
 */
import type { Config } from '../../service/config/config.ts';

const FIRST = 4;
/** Of all transfers of one process together. */
const MOST_OF_PROCESS = 64;
/** By how much the total has to grow for more connections to be worth it. */
const GROWTH = 1.1;
/** After so many measurements without growth, one more connection is tried: the network may be free by now. */
const TRY_AGAIN = 40;

const RUNNING = new WeakMap<Config, Set<Connections>>();

export class Connections {
  readonly #config: Config;
  readonly #beside: Set<Connections>;
  #wanted = FIRST;
  /** The highest rate so far, in bytes per measurement. */
  #best = 0;
  #unchanged = 0;
  /** The latest rate, in bytes per measurement. */
  #latest = 0;

  /** Counts among the process's transfers until `end`. */
  constructor(config: Config) {
    this.#config = config;
    this.#beside = RUNNING.get(config) ?? new Set();
    RUNNING.set(config, this.#beside);
    this.#beside.add(this);
  }

  /** How many there may be now. */
  get most(): number {
    return Math.min(this.#wanted, this.share);
  }

  /** How many there may be beside the other transfers, however much more they bring. */
  get share(): number {
    const share = Math.floor(MOST_OF_PROCESS / this.#beside.size);
    return Math.max(1, Math.min(share, this.#config.copies.connections));
  }

  /** Bytes that came between the last two measurements; 0 if they are forgotten. */
  get latest(): number {
    return this.#latest;
  }

  /** There was a time without measurements. */
  forgetLatest(): void {
    this.#latest = 0;
  }

  /** The bytes that came since the last measurement, which are made at regular intervals. */
  measured(bytes: number): void {
    this.#latest = bytes;
    const isMore = bytes > this.#best * GROWTH;
    this.#unchanged = isMore ? 0 : this.#unchanged + 1;
    if (isMore) {
      this.#best = bytes;
      this.#wanted = Math.min(this.#wanted * 2, MOST_OF_PROCESS);
    } else if (this.#unchanged >= TRY_AGAIN) {
      this.#unchanged = 0;
      this.#best = bytes;
      this.#wanted = Math.min(this.#wanted + 1, MOST_OF_PROCESS);
    }
  }

  /** One of them broke. Those that are left may be all that the network takes. @param left how many that are */
  lost(left: number): void {
    this.#wanted = Math.max(1, left);
  }

  end(): void {
    this.#beside.delete(this);
  }
}
