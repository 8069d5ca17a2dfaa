/** File systems that are small enough to fill. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A folder on its own small disk, removed when the test ends; undefined without the right to mount one. */
export function smallDisk(t: Test, mebibytes: number): string | undefined {
  const root = mkdtempSync(join(tmpdir(), 'imgapi-small-'));
  t.teardown(() => rmdirSync(root));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    t.pass('needs the right to mount a small file system');
    return undefined;
  }
  t.teardown(() => execFileSync('umount', [root]));
  return root;
}

export function bytesFree(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Uses up all free space of the disk; returns a function that frees it again. */
export function fill(folder: string): () => void {
  const file = join(folder, 'filler');
  const handle = openSync(file, 'a');
  try {
    // Large pieces first, then the rest down to the last byte.
    for (const size of [2 ** 20, 4096, 1]) writeUntilFull(handle, Buffer.alloc(size, 'f'));
  } finally {
    closeSync(handle);
  }
  return () => rmSync(file);
}

function writeUntilFull(handle: number, piece: Buffer): void {
  try {
    for (;;) writeSync(handle, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
