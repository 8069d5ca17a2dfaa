/** The folder of a backup. It is recognised by its lock, which only one process at a time can hold. */
import { chmod, readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { holdExclusively, isReadOnly } from '../documents/sqlite/snapshot.ts';
import { hasCode } from '../runtime/absence.ts';
import { makeFolder } from '../runtime/make-folder.ts';
import { BackupError } from './errors.ts';
import { MANIFEST } from './manifest.ts';
import { BackupObjects } from './objects.ts';

const LOCK = 'backup.lock';
const OBJECTS = 'objects';
/** A backup contains secrets: the keys of links and the operator's token. */
const MODE = 0o700;

export interface BackupFolder {
  readonly directory: string;
  readonly objects: BackupObjects;
  /** A name for a temporary file; removes what an earlier run left under it. */
  temporary(name: string): Promise<string>;
  close(): void;
}

/** Creates the folder if it does not exist. @throws BackupError */
export async function openForBackup(directory: string): Promise<BackupFolder> {
  const found = await namesIn(directory);
  const isOther = found !== undefined && found.length > 0 && !found.includes(LOCK) && !found.includes(MANIFEST);
  if (isOther) throw new BackupError('NotABackup', `${directory} holds something else; name a new or an empty folder`);
  await makeFolder(join(directory, OBJECTS), MODE);
  await chmod(directory, MODE);
  return hold(directory);
}

/** @throws BackupError */
export async function openForRestore(directory: string): Promise<BackupFolder> {
  const found = await namesIn(directory);
  if (!found?.includes(MANIFEST)) {
    throw new BackupError('NotABackup', `${directory} holds no finished backup`);
  }
  try {
    return hold(directory);
  } catch (error) {
    // On a read-only medium there is nothing to lock against.
    if (isReadOnly(error)) return folderOf(directory, () => {});
    throw error;
  }
}

function hold(directory: string): BackupFolder {
  const lock = holdExclusively(join(directory, LOCK));
  if (!lock) throw new BackupError('Busy', `another process is using the backup in ${directory}`);
  return folderOf(directory, () => lock.release());
}

function folderOf(directory: string, close: () => void): BackupFolder {
  return {
    directory,
    objects: new BackupObjects(join(directory, OBJECTS)),
    async temporary(name) {
      const path = join(directory, `temporary.${name}`);
      for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true });
      return path;
    },
    close,
  };
}

/** Undefined when there is no such folder. */
export async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (hasCode(error, 'ENOTDIR')) throw new BackupError('NotABackup', `${directory} is not a folder`);
    throw error;
  }
}

/** @throws BackupError when one of the folders lies within the other */
export async function assertApart(dataDir: string, directory: string): Promise<void> {
  const [data, backup] = [await real(dataDir), await real(directory)];
  if (isWithin(data, backup) || isWithin(backup, data)) {
    throw new BackupError(
      'Overlap',
      `backup ${directory} and data ${dataDir} overlap: neither folder may be inside the other`,
    );
  }
}

function isWithin(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps === '' || (steps !== '..' && !steps.startsWith(`..${sep}`));
}

/** The real path, even of something that does not exist yet. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    const absolute = resolve(path);
    return absolute === dirname(absolute) ? absolute : join(await real(dirname(absolute)), basename(absolute));
  }
}
