/** The errors of CloudAPI: codes and statuses as its clients know them, and how other errors become one of them. */

import type Logger from 'bunyan';
import VError from 'verror';
import { DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { ImgapiError, type ImgapiFieldError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { redact } from '#lib/text/redact.ts';
import { ApiError, shownText } from '../../lib/api/errors/api-error.ts';
import type { Reply } from '../http-kit/call.ts';

/** The codes of our own; those of IMGAPI come on top. */
export const CLOUDAPI_ERRORS = {
  InvalidVersion: 400,
  BadRequest: 400,
  InvalidCredentials: 401,
  NotAuthorized: 403,
  ResourceNotFound: 404,
  InvalidArgument: 409,
  MissingParameter: 409,
  ImageCopyCanceled: 409,
  UnsupportedMediaType: 415,
  ImageIsNotActive: 422,
  ClientGone: 499,
  InternalError: 500,
  ImageCopyFailed: 503,
  ServiceUnavailable: 503,
} as const;
export type CloudapiErrorCode = keyof typeof CLOUDAPI_ERRORS;

export interface CloudapiErrorOptions {
  readonly cause?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class CloudapiError extends VError {
  readonly code: CloudapiErrorCode;
  /** The answer's text; unlike `message`, it never repeats the cause. */
  readonly summary: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: CloudapiErrorCode, summary: string, { cause, headers = {} }: CloudapiErrorOptions = {}) {
    const shown = shownText(summary);
    super({ name: code, ...(cause instanceof Error ? { cause } : {}) }, '%s', shown);
    this.code = code;
    this.summary = shown;
    this.headers = headers;
  }
}

export function missing(name: string, what: string): CloudapiError {
  return new CloudapiError('MissingParameter', `${name} is a required argument: ${what}`);
}

export function invalid(name: string, value: unknown, right: string): CloudapiError {
  const shown = redact(JSON.stringify(value) ?? 'missing');
  return new CloudapiError('InvalidArgument', `${name} is ${shown.slice(0, 200)}; it must be ${right}`);
}

export function notAuthorized(account: string): CloudapiError {
  return new CloudapiError('NotAuthorized', `You do not have permission to access /${account}`);
}

export function imageNotFound(id: string): CloudapiError {
  return new CloudapiError('ResourceNotFound', `image "${id}" not found`);
}

/** What whoever fell into it is told; the rest is in the log under the request's id. */
interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly errors?: readonly ImgapiFieldError[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answerFor(thrown: unknown, log: Logger, requestId: string): Reply {
  const { status, code, message, errors, headers } = explain(thrown, requestId);
  // As in IMGAPI: what there is not is no fault.
  if (status >= 500 && status !== 501) log.error({ err: thrown, req_id: requestId }, message);
  return {
    status,
    headers: { ...headers, 'Request-Id': requestId },
    json: { code, message, ...(errors ? { errors } : {}) },
  };
}

function explain(thrown: unknown, requestId: string): Answer {
  if (thrown instanceof CloudapiError) {
    const { code, summary, headers } = thrown;
    return { status: CLOUDAPI_ERRORS[code], code, message: summary, headers };
  }
  if (thrown instanceof ImgapiError) return fromImgapi(thrown, requestId);
  // From the HTTP server itself: a body that is no JSON, a path that is not there.
  if (thrown instanceof ApiError && thrown.statusCode < 500) {
    const { statusCode: status, code, summary: message, errors, headers } = thrown;
    return { status, code, message, errors, headers };
  }
  if (thrown instanceof ImgapiUnreachableError) {
    return { status: 503, code: 'ServiceUnavailable', message: 'the image service cannot be reached; try again later' };
  }
  if (thrown instanceof DirectoryUnavailableError) {
    return { status: 503, code: 'ServiceUnavailable', message: 'accounts cannot be looked up now; try again later' };
  }
  return internal(requestId);
}

/**
 * IMGAPI's own word passes through, but for two things: it refuses an account, while to the client 401 would say that
 * its key is wrong; and the details of a fault are the operators' business.
 */
function fromImgapi(error: ImgapiError, requestId: string): Answer {
  const { statusCode: status, code, message, errors } = error;
  if (status === 401) return { status: 403, code: 'NotAuthorized', message };
  if (status < 400 || status === 500) return internal(requestId);
  return { status, code, message, errors };
}

function internal(requestId: string): Answer {
  const message = `an unexpected error occurred; its details are in the log under request id ${requestId}`;
  return { status: 500, code: 'InternalError', message };
}
