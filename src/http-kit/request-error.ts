/** Errors in a request as such, whichever API it is for. */
import { HttpError, type HttpErrorOptions } from '#lib/api/errors/http-error.ts';

export const REQUEST_ERRORS = {
  BadRequest: 400,
  InvalidHeader: 400,
  InvalidContent: 400,
  BadDigest: 400,
  ResourceNotFound: 404,
  MethodNotAllowedError: 405,
  RequestTimeout: 408,
  PreconditionFailed: 412,
  RequestEntityTooLarge: 413,
  RequestUriTooLong: 414,
  RangeNotSatisfiable: 416,
  ExpectationFailed: 417,
  InvalidParameter: 422,
  RequestHeaderFieldsTooLarge: 431,
} as const;
export type RequestErrorCode = keyof typeof REQUEST_ERRORS;

export class RequestError extends HttpError {
  declare readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, summary: string, options: HttpErrorOptions = {}) {
    super(REQUEST_ERRORS[code], code, summary, options);
  }
}

/** 422 InvalidParameter about one parameter. */
export function invalidParameter(field: string, message: string): RequestError {
  return new RequestError('InvalidParameter', message, { errors: [{ field, code: 'Invalid', message }] });
}
