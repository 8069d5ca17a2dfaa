/** From whatever was thrown to the answer the caller gets. */
import type Logger from 'bunyan';
import { ApiError } from '../../lib/api/errors/api-error.ts';
import type { Reply } from './call.ts';

const NOT_IMPLEMENTED = 501;

/**
 * An error that is no ApiError is a fault of ours: it is logged whole, and the caller gets its request id. That there is
 * no such thing here (501) is none, and as little as any 4xx a reason to fill the log.
 */
export function answerFor(thrown: unknown, log: Logger, requestId: string): Reply {
  const error = asApiError(thrown, requestId);
  const isFault = error.statusCode >= 500 && error.statusCode !== NOT_IMPLEMENTED;
  if (isFault) log.error({ err: thrown, req_id: requestId }, error.summary);
  return { status: error.statusCode, headers: error.headers, json: error.body() };
}

function asApiError(thrown: unknown, requestId: string): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  switch (cause.name) {
    case 'EtagConflictError':
    case 'UniqueAttributeError':
      return new ApiError('Conflict', 'the object kept changing while it was being written; try again', { cause });
    case 'StoreFullError':
      return new ApiError('InsufficientStorage', `the document store has no room: ${cause.message}`, { cause });
    case 'StoreUnavailableError':
      return new ApiError('ServiceUnavailable', 'the document store cannot be reached', { cause });
    case 'DirectoryUnavailableError':
      return new ApiError('ServiceUnavailable', 'the account directory cannot be reached', { cause });
    case 'ObjectStoreUnavailableError':
      return new ApiError('StorageIsDown', `the object store cannot be used: ${cause.message}`, { cause });
    case 'ObjectTruncatedError':
      return new ApiError('FileDamaged', cause.message, { cause });
    case 'InsufficientStorageError':
      return new ApiError('InsufficientStorage', `the object store is full: ${cause.message}`, { cause });
    case 'URIError':
      return new ApiError('BadRequest', 'the path is not valid percent-encoding', { cause });
    default:
      return new ApiError(
        'InternalError',
        `an internal error occurred; its details are in the log under request id ${requestId}`,
        { cause },
      );
  }
}
