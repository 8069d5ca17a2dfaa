/** Where runs of tests have their folders. */
import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { mayExecute } from './mounts.ts';

/** A file system in memory, which Linux has in this place. */
const IN_MEMORY = '/dev/shm';

/** Bytes that must be free there, and of the machine's memory. A whole run has never taken a quarter of it. */
const ENOUGH = 6 * 1024 ** 3;

/**
 * In memory where there is plenty: databases wait for the disk at each write, and nothing that tests check depends on
 * what a disk holds. Whoever has chosen a place by TMPDIR gets that.
 */
export function runDirectory(): string {
  return process.env['TMPDIR'] === undefined && hasRoom() && mayExecute(IN_MEMORY) ? IN_MEMORY : tmpdir();
}

function hasRoom(): boolean {
  try {
    accessSync(IN_MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return Math.min(bavail * bsize, process.availableMemory()) >= ENOUGH;
  } catch {
    return false;
  }
}
