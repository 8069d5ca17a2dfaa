/**
 * Memory for bytes that come before those that are to be staged first, where a store takes bytes in order only. All transfers of
 * the process share it, in slices. Whoever may begin has room for a whole piece until it leaves, so that none can wait for another; what is left
 * is divided. For the others there is one stream, which needs none.
 */
import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import type { Config } from '../../service/config/config.ts';

/** Bytes: at 4 MiB/s half a second, beside which the time for an answer is short. */
export const SLICE_BYTES = 2 * 1024 * 1024;
const OF_A_PIECE = PIECE_BYTES / SLICE_BYTES;
/** Slices of all transfers of one process together: 48 MiB, most of them not yet full. */
const MOST_OF_PROCESS = 24;
const MOST_AT_ONCE = MOST_OF_PROCESS / OF_A_PIECE;

const RUNNING = new WeakMap<Config, Set<ReorderMemory>>();

export class ReorderMemory {
  readonly #beside: Set<ReorderMemory>;
  #isIn = false;
  #held = 0;

  /** Waits for its turn among the process's transfers until `end`. */
  constructor(config: Config) {
    this.#beside = RUNNING.get(config) ?? new Set();
    RUNNING.set(config, this.#beside);
    this.#beside.add(this);
  }

  /** Keeps room for a piece until `leave`. False if there is none. */
  enter(): boolean {
    if (!this.#isIn && this.#free < OF_A_PIECE) return false;
    this.#isIn = true;
    return true;
  }

  /** One slice. False if there is no room for it now. */
  take(): boolean {
    const isOwn = this.#held < OF_A_PIECE;
    const share = Math.floor(MOST_OF_PROCESS / Math.min(this.#beside.size, MOST_AT_ONCE));
    if (!isOwn && (this.#held >= share || this.#free < 1)) return false;
    this.#held += 1;
    return true;
  }

  give(): void {
    this.#held -= 1;
  }

  /** Gives all of it back. */
  leave(): void {
    this.#isIn = false;
    this.#held = 0;
  }

  end(): void {
    this.#beside.delete(this);
  }

  get #free(): number {
    let free = MOST_OF_PROCESS;
    for (const each of this.#beside) free -= each.#reserved;
    return free;
  }

  get #reserved(): number {
    return this.#isIn ? Math.max(OF_A_PIECE, this.#held) : 0;
  }
}
