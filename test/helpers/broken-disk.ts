/** A disk that the kernel makes read-only amid its use, as after an error, or that hangs with each write to it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const BYTES = 64 * 1024 * 1024;

export interface BreakableDisk {
  readonly folder: string;
  readonly break: () => void;
  /** As an operator does. */
  readonly remount: (how: 'ro' | 'rw') => void;
  /** Who writes waits, and cannot even be killed, until it is thawed. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** A folder on a disk of its own, and what breaks that; undefined without the right to mount one. */
export function breakableDisk(t: Test): BreakableDisk | undefined {
  const root = mkdtempSync(join(tmpdir(), 'imgapi-broken-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const [image, folder] = [join(root, 'image'), mkdtempSync(join(root, 'disk-'))];
  writeFileSync(image, '');
  truncateSync(image, BYTES);
  try {
    execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' });
    execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'ignore' });
  } catch {
    t.pass('needs the right to mount a file system, and ext4');
    return undefined;
  }
  t.teardown(() => execFileSync('umount', ['-l', folder]));
  const run = (program: string, ...args: string[]) => execFileSync(program, [...args, folder], { stdio: 'ignore' });
  return {
    folder,
    break: () => run('mount', '-o', 'remount,abort'),
    remount: (how) => run('mount', '-o', `remount,${how}`),
    freeze: () => run('fsfreeze', '--freeze'),
    thaw: () => run('fsfreeze', '--unfreeze'),
  };
}
