/** The small file systems that tests mount to fill them: one that is left keeps its folder from being removed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Unmounts all below a folder, the innermost first. What cannot be unmounted stays. */
export function unmountBelow(folder: string): void {
  for (const place of mountPoints().filter((point) => point.startsWith(`${folder}/`))) {
    try {
      // Lazily: a process that is just ending may still have a file open there.
      execFileSync('umount', ['-l', place], { stdio: 'ignore' });
    } catch {
      // The removal of the folder tells of it.
    }
  }
}

/** The latest first. None where the system does not tell. */
function mountPoints(): string[] {
  try {
    const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n').reverse();
    return lines.map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  } catch {
    return [];
  }
}
