/**
 * Checks the data folder before anything in it is opened: it must exist, be writable, be closed to other users, and its
 * database must belong to its files. What cannot be mended here is reported in one sentence.
 */
import { constants } from 'node:fs';
import { access, chmod, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type Logger from 'bunyan';
import { StoreFullError } from '#lib/documents/errors.ts';
import { DATABASE_FILE } from '#lib/documents/sqlite/database-file.ts';
import { isDiskIll, MEND_DISK } from '#lib/runtime/disk-takes-writes.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { SCRIPTS } from './config/create-from-vm.ts';
import { takeOverTodaysFiles, todaysFolders } from './todays-files.ts';
import { MANIFESTS, todaysRecords, wereAllRemoved } from './todays-records.ts';

const DATABASE_FILES = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`];
const FOLDERS = ['storage', 'keys', 'authkeys', 'run'];
/** What the folder may hold before the first start: configuration, scripts, a log, what file systems and shells leave there. */
const BEFORE_THE_START = new RegExp(`^(?:etc|${SCRIPTS}|lost\\+found|\\..*|.*\\.json|.*\\.log)$`);
/** Permissions that only the service's user may have. */
const OTHERS = 0o077;
const OWN_FOLDER = 0o700;

const NOT_ALLOWED = `this process may not do that: give it to user ${process.geteuid?.()}, as whom it runs (chown), with all rights of an owner`;

/** What a start takes that makes the database and its reserve. */
const FIRST_START = '16 megabytes';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  ENOSPC: `the disk is full: free ${FIRST_START} on it, and start again`,
  EDQUOT: `the quota is used up: free ${FIRST_START} of it, and start again`,
  EROFS: 'the file system is read-only',
  ENOTDIR: 'part of the path is not a folder',
  EEXIST: 'a file is in its place',
  ENOENT: 'the system does not allow a folder there',
};

type DataFolder = Pick<Config, 'dataDir' | 'databaseType' | 'storageTypes'>;

/** @throws ConfigError naming the key and the path */
export async function prepareDataFolder(folder: DataFolder, log: Logger): Promise<void> {
  const { dataDir, databaseType, storageTypes } = folder;
  await makeFolder(dataDir, OWN_FOLDER).catch(refusal(`${dataDir} cannot be made`));
  const before = await todaysFolders(dataDir);
  const records = await todaysRecords(dataDir);
  if (databaseType === 'local') await assertDatabaseBelongs(dataDir);
  // With records it is an IMGAPI's, whatever else is in it.
  if (!records) await assertOwn(dataDir, await leftByTodays(folder, before));
  await closeToOthers(dataDir, log);
  await warnOfOwner(dataDir, log);
  await assertWritable(dataDir, log);
  if (databaseType !== 'local' && before.length > 0 && storageTypes.includes('local')) {
    await takeOverTodaysFiles(dataDir, log);
  }
}

/** What today's IMGAPI may have left. @param files folders of it */
async function leftByTodays(
  { dataDir, databaseType }: DataFolder,
  files: readonly string[],
): Promise<readonly string[]> {
  if (await wereAllRemoved(dataDir)) return [MANIFESTS, ...files];
  // Files alone have records elsewhere, which SQLite has never seen.
  return databaseType === 'local' ? [] : files;
}

/** A typing error must not close /tmp or /var/lib to everybody else on the machine. */
async function assertOwn(dataDir: string, known: readonly string[]): Promise<void> {
  const isOpen = await stat(dataDir).then(({ mode }) => (mode & OTHERS) !== 0, refusal(`${dataDir} cannot be read`));
  const names = isOpen ? await namesIn(dataDir) : [];
  if (names.some((name) => name === DATABASE_FILE || FOLDERS.includes(name))) return;
  const other = names.find((name) => !BEFORE_THE_START.test(name) && !known.includes(name));
  if (other === undefined) return;
  throw new ConfigError('dataDir', [
    `${dataDir} has other things in it, such as ${other}, and is open to others: name a folder for this service alone`,
  ]);
}

/** Root may use everything, and leaves files that the service's own user cannot use at its next start. */
async function warnOfOwner(dataDir: string, log: Logger): Promise<void> {
  const owner = (await stat(dataDir)).uid;
  const user = process.geteuid?.();
  if (user === undefined || owner === user) return;
  log.warn(
    { dataDir, owner, user },
    `the data folder belongs to user ${owner}, who cannot use what this server writes as user ${user}: run it as user ${owner}`,
  );
}

async function closeToOthers(dataDir: string, log: Logger): Promise<void> {
  await closePath(dataDir, log).catch(
    refusal(`${dataDir} is open to others and belongs to another user: give it to this user, with mode 0700`),
  );
  const keys = await namesIn(join(dataDir, 'keys'));
  const database = (await namesIn(dataDir)).filter((name) => name.startsWith(DATABASE_FILE));
  for (const name of [...database, ...FOLDERS, ...keys.map((key) => join('keys', key))]) {
    // The folder above is closed already.
    await closePath(join(dataDir, name), log).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') log.warn({ err: error, path: join(dataDir, name) }, 'more open than it should be');
    });
  }
}

async function closePath(path: string, log: Logger): Promise<void> {
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & OTHERS) === 0) return;
  await chmod(path, mode & ~OTHERS);
  log.warn({ path, mode: mode.toString(8) }, 'was open to others and is closed now');
}

/**
 * A full disk does not prevent the start: deleting images is the remedy. Nor does one that has only image files and is
 * ill: as any other store that is down it takes only its own away, and what is read-only is still read.
 */
async function assertWritable(dataDir: string, log: Logger): Promise<void> {
  const files = join(dataDir, 'storage');
  for (const folder of [dataDir, files, join(dataDir, 'keys')]) {
    const probe = join(folder, `.writable.${process.pid}`);
    try {
      await (await open(probe, 'w', 0o600)).close();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT' || (code === 'ENOENT' && folder !== dataDir)) continue;
      if (folder === files && isDiskIll(error)) {
        log.warn({ err: error, folder }, `the disk of image files takes no writes: ${MEND_DISK}`);
        continue;
      }
      refusal(`${folder} cannot be written`)(error);
    }
    await rm(probe, { force: true }).catch(refusal(`${folder} cannot be written`));
  }
  for (const name of DATABASE_FILES) {
    const path = join(dataDir, name);
    await access(path, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') refusal(`${path} cannot be written`)(error);
    });
  }
}

/** With an empty database beside existing files, all images would seem to be gone, without any error. */
async function assertDatabaseBelongs(dataDir: string): Promise<void> {
  const path = join(dataDir, DATABASE_FILE);
  const size = await stat(path).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 0 : refusal(`${path} cannot be read`)(error)),
  );
  if (size > 0 || (await namesIn(join(dataDir, 'storage', 'images'))).length === 0) return;
  throw new ConfigError('dataDir', [
    `${path} is empty or missing, but there are image files in ${join(dataDir, 'storage')}: ` +
      'restore it with imgapiadm restore, or move the files away',
  ]);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    return refusal(`${folder} cannot be read`)(error);
  });
}

/** Turns an error of the system on a path of the data folder into a sentence that names it. @param what names the path */
export function refusal(what: string): (cause: unknown) => never {
  return (cause) => {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new ConfigError('dataDir', [`${what}: ${REASONS[code] ?? message}`], { cause });
  };
}

/** Turns an error on opening the database into a sentence for the operator who starts the service. */
export function databaseRefusal(dataDir: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof ConfigError) throw cause;
    const path = join(dataDir, DATABASE_FILE);
    if (cause instanceof StoreFullError) {
      const full = `the disk of ${dataDir} is full, including the reserve for deletions`;
      throw new ConfigError(
        'dataDir',
        [`${full}: free a megabyte on it, then images can be deleted, or ${FIRST_START} for a first start`],
        { cause },
      );
    }
    const reason = cause instanceof Error ? innermost(cause).message : String(cause);
    throw new ConfigError('dataDir', [`the database ${path} cannot be used: ${reason}`], { cause });
  };
}

function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
