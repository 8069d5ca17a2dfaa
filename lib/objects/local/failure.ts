/**
 * What the file system said, in the terms of the store. Codes that mean something to a call (a file that is not there,
 * a directory in the way) are looked at where they occur; all others are the machine's failure, and this is the one
 * place that says so.
 */
import { getSystemErrorMessage } from 'node:util';
import { hasCode } from '../../runtime/absence.ts';
import { ObjectStoreUnavailableError } from '../errors.ts';

/** No room, on the disk or for this user. */
export function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}

/** A failed system call (EROFS, EIO, EACCES, EMFILE, …) as the store being away; anything else as it is. */
export function storeFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined || syscall === undefined) return error;
  // Without the path, which is nobody's business beyond the log; the cause has it.
  const message = `${syscall}: ${code}, ${getSystemErrorMessage(errno)}`;
  return new ObjectStoreUnavailableError(message, { cause: error });
}
