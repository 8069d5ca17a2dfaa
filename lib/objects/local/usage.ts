import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './durable.ts';

/** Files that are looked at in one go. */
const BATCH = 64;

/** Bytes of all files below a directory, several names of one file counted once, without the files in `except`. */
export async function bytesBelow(directory: string, except: ReadonlySet<string> = new Set()): Promise<number> {
  const linked = new Set<number>();
  let total = 0;
  for await (const files of batches(directory)) {
    const sizes = await Promise.all(files.map((file) => (except.has(file) ? 0 : sizeOf(file, linked))));
    total += sizes.reduce((sum, size) => sum + size, 0);
  }
  return total;
}

/** What the removal of this name would free: nothing where there is no file, or where it has another name. */
export async function bytesFreedBy(file: string): Promise<number> {
  try {
    const found = await lstat(file);
    return found.isFile() && found.nlink === 1 ? found.size : 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return 0;
    }
    throw error;
  }
}

async function sizeOf(file: string, linked: Set<number>): Promise<number> {
  try {
    const { nlink, ino, size } = await lstat(file);
    if (nlink > 1) {
      if (linked.has(ino)) {
        return 0;
      }
      linked.add(ino);
    }
    return size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return 0;
    }
    throw error;
  }
}

async function* batches(directory: string): AsyncGenerator<string[]> {
  const entries = await entriesOf(directory);
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

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}
