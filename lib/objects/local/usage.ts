import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../runtime/absence.ts';

/** Files that are looked at in parallel. */
const BATCH = 64;

/** Bytes of all files below a directory, except those in `except`. A file with several names counts once. */
export async function bytesBelow(directory: string, except: ReadonlySet<string> = new Set()): Promise<number> {
  const linked = new Set<number>();
  let total = 0;
  for await (const files of batches(directory)) {
    const sizes = await Promise.all(files.map((file) => (except.has(file) ? 0 : sizeOf(file, linked))));
    total += sizes.reduce((sum, size) => sum + size, 0);
  }
  return total;
}

/** The bytes that removing this name would free: none if there is no such file, or if it has other names. */
export async function bytesFreedBy(file: string): Promise<number> {
  const found = await ifThere(lstat(file));
  return found?.isFile() && found.nlink === 1 ? found.size : 0;
}

async function sizeOf(file: string, linked: Set<number>): Promise<number> {
  const found = await ifThere(lstat(file));
  if (!found) return 0;
  const { nlink, ino, size } = found;
  if (nlink > 1 && linked.has(ino)) return 0;
  if (nlink > 1) linked.add(ino);
  return size;
}

async function* batches(directory: string): AsyncGenerator<string[]> {
  const entries = (await ifThere(readdir(directory, { withFileTypes: true }))) ?? [];
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(directory, entry.name));
  for (let at = 0; at < files.length; at += BATCH) {
    yield files.slice(at, at + BATCH);
  }
  for (const entry of entries) {
    if (entry.isDirectory()) {
      yield* batches(join(directory, entry.name));
    }
  }
}
