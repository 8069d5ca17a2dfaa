/**
 * Makes a folder and its missing parents. Node's own recursive mkdir never returns if the system answers ENOENT below
 * an existing folder: in /proc, or where an automounter finds nothing to mount.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * @param mode of every folder that is created
 * @throws the system's error of the last attempt
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

/** The folder may exist already, or another process was faster. @throws the cause if there is no such folder */
async function assertFolder(path: string, cause: unknown): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw cause;
}
