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

/** Whether programs may be run that lie in the file system mounted there; false where nothing is. */
export function mayExecute(point: string): boolean {
  const options = mounts().find((mount) => mount.point === point)?.options;
  return options !== undefined && !options.split(',').includes('noexec');
}

function mountPoints(): string[] {
  return mounts().map(({ point }) => point);
}

/** The latest first. None where the system does not tell. */
function mounts(): { point: string; options: string }[] {
  try {
    const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n').reverse();
    return lines.map((line) => {
      const [, point = '', , options = ''] = line.split(' ');
      return { point: point.replaceAll('\\040', ' '), options };
    });
  } catch {
    return [];
  }
}
