/**
 * The local files of the IMGAPI that ran on this data folder before. It kept them in `images` and `archive` of the folder
 * itself, named below that as ours are in `storage`. So they are moved there once, and a link stays behind: who goes back to
 * that IMGAPI finds them, and what was added since.
 */
import { lstat, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type Logger from 'bunyan';
import { syncDirectory } from '#lib/objects/local/durable.ts';
import { hasCode, ifThere } from '#lib/runtime/absence.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import { ConfigError } from './config/config-error.ts';

const NAMES = ['images', 'archive'];
const STORAGE = 'storage';
const OWN_FOLDER = 0o700;
/** What all UUIDs of a folder begin with. */
const PREFIX = /^[0-9a-f]{3}$/;

/** The folders of {@link NAMES} that hold what that IMGAPI kept there, and nothing else. */
export async function todaysFolders(dataDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of NAMES) {
    const path = join(dataDir, name);
    const below = (await isFolder(path)) ? await ifThere(readdir(path)) : undefined;
    if (below?.every((prefix) => PREFIX.test(prefix))) found.push(name);
  }
  return found;
}

/** Several processes may do so at once. @throws ConfigError if they cannot be moved */
export async function takeOverTodaysFiles(dataDir: string, log: Logger): Promise<void> {
  await makeFolder(join(dataDir, STORAGE), OWN_FOLDER);
  for (const name of await todaysFolders(dataDir)) {
    const [from, to] = [join(dataDir, name), join(dataDir, STORAGE, name)];
    try {
      await rename(from, to);
    } catch (error) {
      // Another process was faster.
      if (!(await isFolder(from))) continue;
      throw refusal(from, to, error as Error);
    }
    await symlink(join(STORAGE, name), from);
    await syncDirectory(join(dataDir, STORAGE));
    await syncDirectory(dataDir);
    log.info({ from, to }, 'took over the files of the IMGAPI that was here before');
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await ifThere(lstat(path)))?.isDirectory() === true;
}

function refusal(from: string, to: string, cause: Error): ConfigError {
  const reason = hasCode(cause, 'ENOTEMPTY', 'EEXIST') ? 'that holds others already' : cause.message;
  return new ConfigError(
    'dataDir',
    [`the files in ${from}, of the IMGAPI that was here before, cannot be moved to ${to}: ${reason}; move them there`],
    { cause },
  );
}
