/**
 * Disk space that is set aside while there is some, so that a full disk can be emptied: even a deletion has to be
 * written before it frees anything. The space is a file beside the database. When the disk is full, one piece of the
 * file is given up; the remaining pieces are for later deletions, in case others take the space that was freed. While a
 * piece is missing, all processes write only what frees space; the next write that finds room restores the piece.
 */
import { randomFillSync } from 'node:crypto';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreFullError } from '../errors.ts';
import { isWriteFailure } from './failure.ts';

/** Bytes: a write-ahead log of the length at which SQLite checkpoints it, and as much for the tables. */
export const RESERVE = 8 * 1024 * 1024;
const PIECES = 8;
/** Bytes; a usual allocation unit of file systems. */
const BLOCK = 4096;

export class Reserve {
  readonly #path: string;
  readonly #size: number;
  readonly #piece: number;
  /** Why space cannot be set aside, if not for lack of it. The store then works without a reserve. */
  #problem: unknown;

  /** @param database path of the database file */
  constructor(database: string, size = RESERVE) {
    this.#path = `${database}-reserve`;
    this.#size = size;
    this.#piece = Math.ceil(size / PIECES);
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** Whether any write is allowed; checked before each commit, because another process may have given up a piece. */
  get isHeld(): boolean {
    return this.#problem !== undefined || this.#held() >= this.#size;
  }

  /** Gives up a piece. Returns whether there was one. */
  release(): boolean {
    const held = this.#held();
    if (held === 0) {
      return false;
    }
    if (held > this.#piece) {
      truncateSync(this.#path, held - this.#piece);
    } else {
      rmSync(this.#path, { force: true });
    }
    return true;
  }

  /** Restores what is missing, using at most half of the free space. Returns false if that is not enough. */
  async hold(): Promise<boolean> {
    if (this.isHeld) {
      return true;
    }
    try {
      const { bavail, bsize } = await statfs(dirname(this.#path));
      const most = Math.floor((bavail * bsize) / 2);
      for (let taken = 0; ; ) {
        const missing = this.#size - this.#held();
        if (missing <= 0) {
          return true;
        }
        const next = Math.min(this.#piece, missing);
        if (taken + next > most) {
          return false;
        }
        await this.#append(next);
        taken += next;
      }
    } catch (error) {
      if (isLackOfRoom(error)) {
        return false;
      }
      this.#problem = error;
      return true;
    }
  }

  /** Whether a failure of the database is due to lack of space; SQLite does not say so for a user's quota. */
  async isLackOfRoom(error: unknown): Promise<boolean> {
    return error instanceof StoreFullError || (isWriteFailure(error) && (await this.#isDiskFull()));
  }

  async #isDiskFull(): Promise<boolean> {
    const probe = `${this.#path}.${process.pid}`;
    try {
      const handle = await open(probe, 'w', 0o600);
      try {
        await handle.write(noise(BLOCK));
        await handle.sync();
      } finally {
        await handle.close();
      }
      return false;
    } catch (error) {
      return isLackOfRoom(error);
    } finally {
      await rm(probe, { force: true });
    }
  }

  #held(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Appends, so that the file has no holes even if several processes do this at the same time; it may get too long. */
  async #append(bytes: number): Promise<void> {
    const handle = await open(this.#path, 'a', 0o600);
    try {
      await handle.writeFile(noise(bytes));
    } finally {
      await handle.close();
    }
  }
}

/** Random bytes, because a compressing file system would need no space for zeros. */
function noise(bytes: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(bytes));
}

function isLackOfRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
