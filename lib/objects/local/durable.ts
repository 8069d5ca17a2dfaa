/**
 * Changes of directories that outlive a crash of the machine. A directory vanishes with its last object, so whoever
 * adds one must be ready to make the directory again.
 */
import { lstat, mkdir, open, rename, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, ifThere } from '../../runtime/absence.ts';

/** Objects are for whoever runs the service, and for nobody else on the machine. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Each turn lost means that another process removed the last object of the directory at that moment. */
const MOST_TURNS = 1000;

async function exists(file: string): Promise<boolean> {
  return (await ifThere(lstat(file))) !== undefined;
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Syncs a directory and those above it, up to `root`: another process may have made one of them and not be so far as
 * to sync it. A clean directory costs next to nothing.
 */
export async function syncUpwards(directory: string, root: string): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      await syncDirectory(at);
    } catch (error) {
      // What lay in it was removed meanwhile, so there is nothing left to promise.
      if (!hasCode(error, 'ENOENT')) {
        throw error;
      }
    }
    if (at === root) {
      return;
    }
  }
}

/** Renames, making the directories of `to`; not yet durable. @throws ENOENT when `from` is not there */
export async function moveInto(from: string, to: string): Promise<void> {
  const parent = dirname(to);
  for (let turn = 1; ; turn += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || turn === MOST_TURNS || !(await exists(from))) {
        throw error;
      }
    }
    await makeDirectory(parent);
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    // One of its parents was removed under it, which node also calls ENOTDIR when it goes between two looks of its own:
    // the caller takes another turn, whose rename finds a parent that really is a file.
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) {
      throw error;
    }
  }
}

/** Removes empty directories from `directory` upwards, below `root`, and makes that and what went before durable. */
export async function pruneUpwards(directory: string, root: string): Promise<void> {
  let at = directory;
  while (at !== root && (await removeEmpty(at))) {
    at = dirname(at);
  }
  await syncUpwards(at, root);
}

/** Whether the directory is gone now. */
async function removeEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return true;
    }
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) {
      return false;
    }
    throw error;
  }
}
