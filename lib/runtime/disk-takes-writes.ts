import { stat, utimes } from 'node:fs/promises';
import { hasCode } from './absence.ts';

/** With which a disk fails, or a file server behind it: not this user, and not what is on it. */
const ILL = ['EROFS', 'EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ENOTCONN', 'ETIMEDOUT', 'EHOSTDOWN', 'EHOSTUNREACH'];

export function isDiskIll(error: unknown): boolean {
  return hasCode(error, ...ILL);
}

/**
 * Whether the disk of a file takes writes: after an error the kernel makes many file systems read-only, on which all that
 * is open can still be read. The file keeps the times that it has. Whether this user may write it is another matter.
 * @throws the system's error, such as EROFS or EIO
 */
export async function assertTakesWrites(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  await utimes(path, atime, mtime).catch((error: unknown) => {
    if (isDiskIll(error)) throw error;
  });
}

/** What an operator does about it. */
export const MEND_DISK =
  "look at the disk and at the kernel's log (dmesg), and mount the file system for writing again";
