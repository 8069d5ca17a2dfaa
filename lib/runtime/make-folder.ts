/**
 * Makes a folder and what is missing above it. Node's own recursive mkdir never comes back where the system answers
 * ENOENT below a folder that is there: in /proc, or where an automounter finds nothing to mount.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * @param mode of every folder that is made
 * @throws what the system says of the last try
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const parent = dirname(path);
    const isBelowNothing = (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path;
    if (!isBelowNothing) return assertFolder(path, error);
    await makeFolder(parent, mode);
    await mkdir(path, { mode }).catch((again) => assertFolder(path, again));
  }
}

/** It is there already, or another process was faster. @throws the cause when it is no folder */
async function assertFolder(path: string, cause: unknown): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw cause;
}
