/**
 * An error that is answered: status, code and text for the caller. Each API has a class of its own with the codes that
 * its clients know; anything else that is thrown is a fault.
 */
import VError from 'verror';
import { redact } from '../../text/redact.ts';

/** What is wrong with one field. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message?: string;
}

export interface HttpErrorOptions {
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
  /** Headers of the answer, such as Content-Range on a 416. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class HttpError extends VError {
  readonly statusCode: number;
  readonly code: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's text; unlike `message`, it never repeats the cause. */
  readonly summary: string;

  constructor(statusCode: number, code: string, summary: string, options: HttpErrorOptions = {}) {
    const cause = options.cause instanceof Error ? options.cause : undefined;
    const { errors } = options;
    const shown = summaryOf(summary, errors?.length ?? 0);
    super({ name: code, ...(cause && { cause }) }, '%s', shown);
    this.code = code;
    this.summary = shown;
    this.statusCode = statusCode;
    this.errors = errors?.slice(0, MOST_ERRORS).map(shownError);
    this.headers = options.headers ?? {};
  }

  /** The JSON body of the answer. */
  body(): { code: string; message: string; errors?: readonly FieldError[] } {
    return { code: this.code, message: this.summary, ...(this.errors && { errors: this.errors }) };
  }
}

/** Characters. A message repeats the wrong value, which may be as long as a request. */
const LONGEST_MESSAGE = 2000;
/** There may be many messages about fields, so each is shorter. */
const LONGEST_FIELD_MESSAGE = 500;
const LONGEST_FIELD = 100;
const MOST_ERRORS = 50;

/** Without secrets, and short enough to be read. */
function shownText(text: string, longest = LONGEST_MESSAGE): string {
  const shown = redact(text);
  return shown.length <= longest ? shown : `${shown.slice(0, longest - 1)}…`;
}

function summaryOf(summary: string, errors: number): string {
  const shown = shownText(summary);
  return errors < MOST_ERRORS ? shown : `${shown} (errors lists the first ${MOST_ERRORS}; there may be more)`;
}

function shownError({ field, code, message }: FieldError): FieldError {
  const shown = { field: shownText(field, LONGEST_FIELD), code };
  return message === undefined ? shown : { ...shown, message: shownText(message, LONGEST_FIELD_MESSAGE) };
}
