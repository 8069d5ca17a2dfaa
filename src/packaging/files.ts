/** What lies below a folder. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Files at any depth, as paths below the folder, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .toSorted();
}
