/** The files that this process has open. */
import { readdir, readlink } from 'node:fs/promises';

/** The `skip` option of tests that count open files: false, or the reason why they cannot run here. */
export const cannotCountFiles = process.platform === 'linux' ? false : 'open files are counted on Linux only';

/** Files below the folder that this process has open, according to Linux. */
export async function openFiles(folder: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(folder));
}
