/** What backing up and restoring say alike. */
import type { MissingFile } from '#lib/backup/back-up.ts';
import { BackupError, type BackupProblem } from '#lib/backup/errors.ts';
import { InsufficientStorageError } from '#lib/objects/errors.ts';
import { CommandError } from '../../framework/errors.ts';
import { printable } from '../../output/printable.ts';

const NAME_THE_DATA = "name the server's data directory with --data-dir, IMGAPI_DATA_DIR or --config";
const WHERE_THEY_ARE = 'documents in PostgreSQL or Moray are backed up there: pg_dump, or what Moray has';
const DETAILS: Readonly<Partial<Record<BackupProblem, readonly string[]>>> = {
  NoDataFolder: [NAME_THE_DATA, WHERE_THEY_ARE],
  DocumentsElsewhere: [WHERE_THEY_ARE],
};
const AS_WHOM = "do it as the service's user: runuser -u imgapi, sudo -u imgapi";

/** Turns what a user can mend into what a user is told. */
export async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof BackupError) {
      const details = DETAILS[cause.code] ?? [];
      throw new CommandError(cause.message, { code: cause.code, details, cause });
    }
    if (cause instanceof InsufficientStorageError) {
      throw new CommandError(`the object store has no room: ${cause.message}`, { code: 'InsufficientStorage', cause });
    }
    const { code = '', message, syscall, path } = cause as NodeJS.ErrnoException;
    const isForbidden = path !== undefined && (code === 'EACCES' || code === 'EPERM');
    if (isForbidden) {
      throw new CommandError(`this user may not read or write ${path}`, { code, details: [AS_WHOM], cause });
    }
    if (syscall !== undefined || code.startsWith('SQLITE_')) throw new CommandError(message, { code, cause });
    throw cause;
  }
}

export function missingText({ image, name, file, problem }: MissingFile): string {
  return printable(`missing: ${file} of image ${image} (${name}): ${problem}`);
}
