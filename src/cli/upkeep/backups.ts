/** What backing up and restoring say alike. */
import type { MissingFile } from '#lib/backup/back-up.ts';
import { BackupError } from '#lib/backup/errors.ts';
import { CommandError } from '../framework/errors.ts';
import { printable } from '../output/printable.ts';

/** Turns what a user can mend into what a user is told. */
export async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof BackupError) throw new CommandError(cause.message, { code: cause.code, cause });
    const { code = '', message, syscall } = cause as NodeJS.ErrnoException;
    if (syscall !== undefined || code.startsWith('SQLITE_')) throw new CommandError(message, { code, cause });
    throw cause;
  }
}

export function missingText({ image, name, file, problem }: MissingFile): string {
  return printable(`missing: ${file} of image ${image} (${name}): ${problem}`);
}
