/** The errors of CloudAPI, and how other errors are turned into them. */
import type { IncomingHttpHeaders } from 'node:http';
import { DIRECTORY_RETRY_AFTER, DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { CLOUDAPI_ERRORS, type CloudapiErrorCode } from '#lib/api/cloudapi/errors.ts';
import { CLOUDAPI_VERSIONS } from '#lib/api/cloudapi/form.ts';
import { COME_BACK_SECONDS } from '#lib/api/errors/come-back.ts';
import { HttpError, type HttpErrorOptions } from '#lib/api/errors/http-error.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { redact } from '#lib/text/redact.ts';
import { type ErrorReply, plainErrors } from '../http-kit/answer.ts';
import { acceptedRange, LONGEST_RANGE } from './versions.ts';

export class CloudapiError extends HttpError {
  declare readonly code: CloudapiErrorCode;

  constructor(code: CloudapiErrorCode, summary: string, options: HttpErrorOptions = {}) {
    super(CLOUDAPI_ERRORS[code].status, code, summary, options);
  }
}

export function missing(name: string): CloudapiError {
  return new CloudapiError('MissingParameter', `${name} is a required argument`);
}

/** @param mustBe completes "it must be …" */
export function invalid(name: string, value: unknown, mustBe: string): CloudapiError {
  const shown = redact(JSON.stringify(value) ?? 'missing');
  return new CloudapiError('InvalidArgument', `${name} is ${shown.slice(0, 200)}; it must be ${mustBe}`);
}

export function invalidAction(action: unknown): CloudapiError {
  return new CloudapiError('InvalidArgument', `action ${String(action)} is not a valid argument`);
}

export function notAuthorized(account: string): CloudapiError {
  return new CloudapiError('NotAuthorized', `You do not have permission to access ${account}`);
}

/**
 * The same whether or not there is such a thing. @param resource path, such as `/alice/images`
 * @param action what a policy would have to allow
 */
export function notAllowed(resource: string, action: string): CloudapiError {
  return new CloudapiError('NotAuthorized', `You do not have permission to access ${resource} (${action})`);
}

const IMAGE_NOT_FOUND = 'image not found';

export function imageNotFound(): CloudapiError {
  return new CloudapiError('ResourceNotFound', IMAGE_NOT_FOUND);
}

/** For what is asked for by what cannot be its name. */
export function notFound(name: string): CloudapiError {
  return new CloudapiError('ResourceNotFound', `${name} not found`);
}

export function versionNotServed(headers: IncomingHttpHeaders): CloudapiError {
  const shown = acceptedRange(headers).slice(0, LONGEST_RANGE);
  return new CloudapiError(
    'InvalidVersion',
    `version "${shown}" is not served; the versions are ${CLOUDAPI_VERSIONS.join(', ')}`,
  );
}

export function cloudapiErrors(thrown: unknown, requestId: string): ErrorReply {
  if (thrown instanceof HttpError) return plainErrors(thrown, requestId);
  if (thrown instanceof ImgapiError) return fromImgapi(thrown, requestId);
  if (thrown instanceof ImgapiUnreachableError) {
    return unavailable('the image service cannot be reached; try again later', COME_BACK_SECONDS);
  }
  if (thrown instanceof DirectoryUnavailableError) {
    return unavailable('accounts cannot be looked up now; try again later', DIRECTORY_RETRY_AFTER);
  }
  return internal(requestId);
}

/** Clients of CloudAPI know it in other words. */
const NO_SUCH_IMAGE = /^image "[^"]*" not found$/;

/**
 * IMGAPI's errors pass through, with three exceptions. Its 401 refuses an account, but would tell the client that its key
 * is wrong. With a challenge it refuses CloudAPI itself, about which no account can do anything. And the details of internal errors are for operators only.
 */
function fromImgapi(error: ImgapiError, requestId: string): ErrorReply {
  const { statusCode: status, code, message, errors, retryAfter, headers } = error;
  if (status === 401 && headers['www-authenticate'] !== undefined) return setUpWrongly();
  if (status === 401) return { status: 403, json: { code: 'NotAuthorized', message } };
  if (status < 400 || status === 500) return internal(requestId);
  const shown = NO_SUCH_IMAGE.test(message) ? IMAGE_NOT_FOUND : message;
  return {
    status,
    json: { code, message: shown, ...(errors && { errors }) },
    headers: { ...headers, ...retrying(retryAfter).headers },
  };
}

function unavailable(message: string, retryAfter?: number): ErrorReply {
  return { status: 503, json: { code: 'ServiceUnavailable', message }, ...retrying(retryAfter) };
}

function setUpWrongly(): ErrorReply {
  return {
    ...unavailable('the image service is set up wrongly: it does not take the requests of CloudAPI; tell its operator'),
    logged:
      'IMGAPI wants the requests of CloudAPI signed: set authType to "none" there, or let imgapi.url name an IMGAPI that has it',
  };
}

/** @param seconds absent: nobody knows */
function retrying(seconds: number | undefined): Pick<ErrorReply, 'headers'> {
  return seconds === undefined ? {} : { headers: { 'Retry-After': String(seconds) } };
}

function internal(requestId: string): ErrorReply {
  const message = `an unexpected error occurred; its details are in the log under request id ${requestId}`;
  return { status: 500, json: { code: 'InternalError', message } };
}
