/** The one error class that carries an answer for the caller; everything else becomes InternalError. */
import VError from 'verror';
import { redact } from '#lib/text/redact.ts';
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
    const { errors } = options;
    const shown = summaryOf(summary, errors?.length ?? 0);
    super({ name: code, ...(cause ? { cause } : {}) }, '%s', shown);
    this.code = code;
    this.summary = shown;
    this.statusCode = ERRORS[code].status;
    this.errors = errors?.slice(0, MOST_ERRORS).map(shownError);
    this.headers = options.headers ?? {};
  }

  /** The JSON body of the answer. */
  body(): { code: string; message: string; errors?: readonly FieldError[] } {
    return { code: this.code, message: this.summary, ...(this.errors ? { errors: this.errors } : {}) };
  }
}

/** Messages name the value that is wrong, and that may be as long as a request. */
const LONGEST_MESSAGE = 2000;
/** Those of single fields are cut sooner, for there may be many of them. */
const LONGEST_FIELD_MESSAGE = 500;
const LONGEST_FIELD = 100;
const MOST_ERRORS = 50;

/** As it may be shown, and of a length that can be read. */
export function shownText(text: string, longest = LONGEST_MESSAGE): string {
  const shown = redact(text);
  return shown.length <= longest ? shown : `${shown.slice(0, longest - 1)}…`;
}

function summaryOf(summary: string, errors: number): string {
  const shown = shownText(summary);
  return errors < MOST_ERRORS ? shown : `${shown} (there may be more: errors has the first ${MOST_ERRORS})`;
}

function shownError({ field, code, message }: FieldError): FieldError {
  const shown = { field: shownText(field, LONGEST_FIELD), code };
  return message === undefined ? shown : { ...shown, message: shownText(message, LONGEST_FIELD_MESSAGE) };
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
