/** A disk that the kernel makes read-only amid its use, as after an error. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const BYTES = 64 * 1024 * 1024;

/** A folder on a disk of its own, and what breaks that; undefined without the right to mount one. */
export function breakableDisk(t: Test): { readonly folder: string; readonly break: () => void } | undefined {
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
  return { folder, break: () => execFileSync('mount', ['-o', 'remount,abort', folder], { stdio: 'ignore' }) };
}
