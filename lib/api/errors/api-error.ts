/** The errors that IMGAPI answers with; anything else that is thrown becomes an InternalError. */
import { COME_BACK } from './come-back.ts';
import { type FieldError as AnyFieldError, HttpError, type HttpErrorOptions } from './http-error.ts';
import { ERRORS, type ErrorCode, type ErrorSpec } from './registry.ts';

/** `Missing` and `MissingParameter` are both in use, see the behaviour of each field in docs/index.md. */
export type FieldCode = 'MissingParameter' | 'Missing' | 'Invalid' | 'NotAllowed' | 'InvalidParameter';

export interface FieldError extends AnyFieldError {
  readonly code: FieldCode;
}

export interface ApiErrorOptions extends HttpErrorOptions {
  readonly errors?: readonly FieldError[];
}

export class ApiError extends HttpError {
  declare readonly code: ErrorCode;
  declare readonly errors: readonly FieldError[] | undefined;

  constructor(code: ErrorCode, summary: string, options: ApiErrorOptions = {}) {
    const { status, passes }: ErrorSpec = ERRORS[code];
    super(status, code, summary, passes ? { ...options, headers: { ...COME_BACK, ...options.headers } } : options);
  }
}

/** 422 InvalidParameter about one parameter. */
export function invalidParameter(field: string, message: string, code: FieldCode = 'Invalid'): ApiError {
  return new ApiError('InvalidParameter', message, { errors: [{ field, code, message }] });
}

/** 422 ValidationFailed about one field. */
export function validationFailed(field: string, message: string, code: FieldCode = 'Invalid'): ApiError {
  return new ApiError('ValidationFailed', message, { errors: [{ field, code, message }] });
}

/** The 404 for an image. It must not tell a missing image from a hidden one. */
export function imageNotFound(uuid: string): ApiError {
  return new ApiError('ResourceNotFound', `image "${uuid}" not found`);
}
