/**
 * Disk space set aside while there is some, so that a full disk can be emptied: even a deletion is written down before
 * it frees anything. The space is a file beside the database. When the disk is full it is given up, and as long as it
 * is not there, in whatever process, only what frees space is written; the first other write that finds room again
 * sets it aside anew.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes: a write-ahead log of the length at which SQLite empties it, and as much for the tables. */
export const RESERVE = 8 * 1024 * 1024;
/** Bytes written at once. They are random, for a file system that compresses would keep zeros for nothing. */
const PIECE = 1024 * 1024;

export class Reserve {
  readonly #path: string;
  readonly #size: number;
  /** Why it cannot be set aside, other than for lack of room: then there is none, and nothing waits for it. */
  #problem: unknown;

  /** @param database path of the database file */
  constructor(database: string, size = RESERVE) {
    this.#path = `${database}-reserve`;
    this.#size = size;
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** Whether anything may be written; asked before each commit, for another process may have given it up. */
  get isHeld(): boolean {
    return this.#problem !== undefined || existsSync(this.#path);
  }

  /** Answers whether there was anything to give up. */
  release(): boolean {
    if (!existsSync(this.#path)) {
      return false;
    }
    rmSync(this.#path, { force: true });
    return true;
  }

  /** Answers false when the disk has no room for it and for something else beside it. */
  async hold(): Promise<boolean> {
    if (this.isHeld) {
      return true;
    }
    try {
      const { bavail, bsize } = await statfs(dirname(this.#path));
      if (bavail * bsize < 2 * this.#size) {
        return false;
      }
      await this.#fill();
      return true;
    } catch (error) {
      if (isLackOfRoom(error)) {
        return false;
      }
      this.#problem = error;
      return true;
    }
  }

  /** Under another name first: half of it is none. */
  async #fill(): Promise<void> {
    const temporary = `${this.#path}.${process.pid}`;
    try {
      const handle = await open(temporary, 'w', 0o600);
      try {
        const piece = randomFillSync(Buffer.allocUnsafe(Math.min(PIECE, this.#size)));
        for (let written = 0; written < this.#size; written += piece.length) {
          await handle.write(piece, 0, Math.min(piece.length, this.#size - written), written);
        }
      } finally {
        await handle.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function isLackOfRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
