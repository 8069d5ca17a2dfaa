/**
 * Directory changes that survive a crash of the machine. A directory vanishes with its last object, so adding an object
 * may mean creating its directory again.
 */
import { lstat, mkdir, open, rename, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, ifThere } from '../../runtime/absence.ts';

/** Only the user that runs the service may read objects. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Each failed attempt means that another process has just removed the last object of the directory. */
const MOST_ATTEMPTS = 1000;

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
 * Syncs a directory and those above it, up to `root`: another process may have made one of them and not synced it yet.
 * Syncing a clean directory costs next to nothing.
 */
export async function syncUpwards(directory: string, root: string): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      await syncDirectory(at);
    } catch (error) {
      // Its content was removed meanwhile, so there is nothing left to make durable.
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
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || attempt === MOST_ATTEMPTS || !(await exists(from))) {
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
    // A parent was removed meanwhile, for which node may also report ENOTDIR. The caller tries again; if a parent
    // really is a file, its rename says so.
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) {
      throw error;
    }
  }
}

/** Removes empty directories from `directory` upwards, below `root`; makes this and earlier changes durable. */
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
