/**
 * File system errors in the terms of the store. Codes that mean something to a call (a missing file, a directory in the
 * way) are handled where they occur. All others are failures of the machine, and are translated here.
 */
import { getSystemErrorMessage } from 'node:util';
import { hasCode } from '../../runtime/absence.ts';
import { ObjectStoreUnavailableError } from '../errors.ts';

/** No room, on the disk or for this user. */
export function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}

/** Turns a failed system call (EROFS, EIO, EACCES, EMFILE, …) into "unavailable"; returns anything else unchanged. */
export function storeFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined || syscall === undefined) return error;
  // Without the path, which belongs only in the log; the cause has it.
  const message = `${syscall}: ${code}, ${getSystemErrorMessage(errno)}`;
  return new ObjectStoreUnavailableError(message, { cause: error });
}
