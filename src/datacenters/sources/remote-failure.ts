/** Failures of another IMGAPI, as an operator's request reports them. */
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { ApiError } from '../../../lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '../../../lib/api/errors/registry.ts';
import { refusedSource } from '../address-guard.ts';
import { SourceInvalidError } from './source.ts';

/** Passes on what the other says of the request; what says something of the other becomes 503 RemoteSourceError. */
export function remoteFailure(cause: unknown, url: string): unknown {
  if (cause instanceof AddressRefusedError) return refusedSource(cause, 'url');
  if (cause instanceof ImgapiError && cause.statusCode < 500 && isCode(cause.code)) {
    return new ApiError(cause.code, `${url} answered: ${cause.message}`, { cause });
  }
  if (isTimeout(cause)) return new ApiError('RemoteSourceError', `${url} does not answer in time`, { cause });
  const isRemote =
    cause instanceof ImgapiError || cause instanceof ImgapiUnreachableError || cause instanceof SourceInvalidError;
  return isRemote ? new ApiError('RemoteSourceError', cause.message, { cause }) : cause;
}

/** What went wrong, in words that may be another's: for reports and records. */
export function foreignMessage(error: unknown): string {
  if (isTimeout(error)) return 'it does not answer in time';
  return cutText(error instanceof Error ? error.message : String(error));
}

/** Of a time limit, whoever set it. */
export function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
