/** The one error class that carries an answer for the caller; everything else becomes InternalError. */
import VError from 'verror';
import { ERRORS, type ErrorCode } from './registry.ts';

/** `Missing` and `MissingParameter` are both in use, see the behaviour of each field in docs/index.md. */
export type FieldCode = 'MissingParameter' | 'Missing' | 'Invalid' | 'NotAllowed' | 'InvalidParameter';

export interface FieldError {
  readonly field: string;
  readonly code: FieldCode;
  readonly message?: string;
}

export interface ApiErrorOptions {
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
  /** Response headers that belong to the answer, such as Content-Range on a 416. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends VError {
  readonly code: ErrorCode;
  readonly statusCode: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's text; unlike `message`, it never repeats the cause. */
  readonly summary: string;

  constructor(code: ErrorCode, summary: string, options: ApiErrorOptions = {}) {
    const cause = options.cause instanceof Error ? options.cause : undefined;
    super({ name: code, ...(cause ? { cause } : {}) }, '%s', cut(summary));
    this.code = code;
    this.summary = cut(summary);
    this.statusCode = ERRORS[code].status;
    this.errors = options.errors?.map(cutMessage);
    this.headers = options.headers ?? {};
  }

  /** The JSON body of the answer. */
  body(): { code: string; message: string; errors?: readonly FieldError[] } {
    return { code: this.code, message: this.summary, ...(this.errors ? { errors: this.errors } : {}) };
  }
}

/** Messages name the value that is wrong, and that may be as long as a request. */
const LONGEST_MESSAGE = 2000;

function cut(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 1)}…`;
}

function cutMessage(error: FieldError): FieldError {
  return error.message === undefined ? error : { ...error, message: cut(error.message) };
}

/** 422 InvalidParameter about one parameter. */
export function invalidParameter(field: string, message: string, code: FieldCode = 'Invalid'): ApiError {
  return new ApiError('InvalidParameter', message, { errors: [{ field, code, message }] });
}

/** 422 ValidationFailed about one field. */
export function validationFailed(field: string, message: string, code: FieldCode = 'Invalid'): ApiError {
  return new ApiError('ValidationFailed', message, { errors: [{ field, code, message }] });
}

/** 404 for an image, worded the same whether it is absent or hidden. */
export function imageNotFound(uuid: string): ApiError {
  return new ApiError('ResourceNotFound', `image "${uuid}" not found`);
}
