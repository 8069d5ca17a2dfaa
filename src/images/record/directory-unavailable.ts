import { DIRECTORY_RETRY_AFTER } from '#lib/accounts/accounts.ts';
import { ApiError } from '#lib/api/errors/api-error.ts';

/** The 503 for what needs the directory of accounts while it is down. */
export function directoryUnavailable(message: string, cause: Error): ApiError {
  return new ApiError('ServiceUnavailable', message, {
    cause,
    headers: { 'Retry-After': String(DIRECTORY_RETRY_AFTER) },
  });
}
