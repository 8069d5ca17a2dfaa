/** How IMGAPI reports errors. Those of the stores and the directory are not its faults, and have their own codes. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { withoutPlaces } from '#lib/text/without-places.ts';
import { type ErrorReply, plainErrors } from '../http-kit/answer.ts';
import { directoryUnavailable } from '../images/record/directory-unavailable.ts';

export function imgapiErrors(thrown: unknown, requestId: string): ErrorReply {
  return plainErrors(thrown instanceof Error ? known(thrown) : thrown, requestId);
}

function known(cause: Error): Error {
  switch (cause.name) {
    case 'EtagConflictError':
    case 'UniqueAttributeError':
      return new ApiError('Conflict', 'the object kept changing while it was being written; try again', { cause });
    case 'SessionGoneError':
    case 'LeaseLostError':
      // This process was not heard of for so long that its lease ran out.
      return new ApiError('Conflict', 'another process has ended this write meanwhile; try again', { cause });
    case 'StoreFullError':
      return new ApiError('InsufficientStorage', `the document store has no room: ${cause.message}`, { cause });
    case 'StoreUnavailableError':
      return new ApiError('ServiceUnavailable', 'the document store cannot be reached', { cause });
    case 'DirectoryUnavailableError':
      return directoryUnavailable('the account directory cannot be reached; try again later', cause);
    case 'ObjectStoreUnavailableError':
      return new ApiError('StorageIsDown', `the object store cannot be used: ${withoutPlaces(cause.message)}`, {
        cause,
      });
    case 'ObjectTruncatedError':
      return new ApiError('FileDamaged', cause.message, { cause });
    case 'InsufficientStorageError':
      return new ApiError('InsufficientStorage', `the object store is full: ${cause.message}`, { cause });
    case 'URIError':
      return new ApiError('BadRequest', 'the path is not valid percent-encoding', { cause });
    default:
      return cause;
  }
}
