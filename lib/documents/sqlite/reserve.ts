/**
 * Disk space set aside while there is some, so that a full disk can be emptied: even a deletion is written down before
 * it frees anything. The space is a file beside the database. When the disk is full a piece of it is given up, so that
 * somebody else who takes whatever comes free leaves enough for the next deletions. As long as a piece is missing, in
 * whatever process, only what frees space is written; the next write that finds room again sets the piece aside anew.
 */
import { randomFillSync } from 'node:crypto';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreFullError } from '../errors.ts';
import { isWriteFailure } from './failure.ts';

/** Bytes: a write-ahead log of the length at which SQLite empties it, and as much for the tables. */
export const RESERVE = 8 * 1024 * 1024;
const PIECES = 8;
/** Bytes, as many as a file system allots at once. */
const BLOCK = 4096;

export class Reserve {
  readonly #path: string;
  readonly #size: number;
  readonly #piece: number;
  /** Why it cannot be set aside, other than for lack of room: then there is none, and nothing waits for it. */
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

  /** Whether anything may be written; asked before each commit, for another process may have given some of it up. */
  get isHeld(): boolean {
    return this.#problem !== undefined || this.#held() >= this.#size;
  }

  /** Gives up a piece. Answers whether there was anything to give up. */
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

  /** Takes what is missing, and half of what the disk has at most. Answers false when that is not all. */
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

  /** Whether a lack of room is behind a failure of the database; SQLite does not say so of a user's quota. */
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

  /** Always at the end: when several processes do this at once it becomes a little longer, and has no holes. */
  async #append(bytes: number): Promise<void> {
    const handle = await open(this.#path, 'a', 0o600);
    try {
      await handle.writeFile(noise(bytes));
    } finally {
      await handle.close();
    }
  }
}

/** A file system that compresses would keep zeros for nothing. */
function noise(bytes: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(bytes));
}

function isLackOfRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
