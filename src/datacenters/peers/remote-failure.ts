/**
 * Failures of another server, as the request that needed it reports them: the one place where they become errors of
 * ours. What a failure means for a copy that goes on without a request is the table of `copies/documents/failure-of.ts`.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '#lib/api/errors/registry.ts';
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { refusedSource } from './address-guard.ts';
import { SourceInvalidError } from './errors.ts';

/** The parameter by which a request named the other server. */
export type NamedBy = 'url' | 'source' | 'file_url' | 'datacenter';

interface Form {
  readonly code: ErrorCode;
  /** @param name the parameter's value */
  readonly says: (error: unknown, name: string) => string;
  /** What the other says of the caller's own request stays that: the message under the other's code. */
  readonly passedOn?: (error: ImgapiError, name: string) => string | undefined;
  /** Whether an address that is refused is told as a wrong parameter. */
  readonly refusesAddress: boolean;
  /** Whether errors that say nothing of the other count as its failures too. */
  readonly takesAll?: true;
}

const FORMS: Readonly<Record<NamedBy, Form>> = {
  url: {
    code: 'RemoteSourceError',
    says: (error, url) => (isTimeout(error) ? `${url} did not answer in time` : foreignMessage(error)),
    passedOn: ({ statusCode, message }, url) => (statusCode < 500 ? `${url} answered: ${message}` : undefined),
    refusesAddress: true,
  },
  source: {
    code: 'RemoteSourceError',
    says: (error, url) => (error instanceof SourceInvalidError ? error.message : `${url}: ${foreignMessage(error)}`),
    refusesAddress: true,
  },
  file_url: {
    code: 'Download',
    says: (error, url) => `${url} could not be fetched: ${foreignMessage(error)}`,
    refusesAddress: true,
  },
  datacenter: {
    code: 'RemoteSourceError',
    says: (error, datacenter) =>
      isUnauthorized(error)
        ? `datacenter "${datacenter}" does not accept this datacenter: ${foreignMessage(error)}; ${linkHint(datacenter)}`
        : `datacenter "${datacenter}" could not be asked: ${foreignMessage(error)}`,
    passedOn: ({ code, message }) => (OF_THE_REQUEST.has(code) ? message : undefined),
    refusesAddress: false,
    takesAll: true,
  },
};

/** Answers of a datacenter about the caller's own request; all else is between the two datacenters. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set<ErrorCode>([
  'ResourceNotFound',
  'Forbidden',
  'TooManyRequests',
  'InvalidParameter',
]);

/**
 * What a caller is told when the other did not do as asked; an error that says nothing of the other stays itself, but for
 * a datacenter. @param name the parameter's value, or what the message calls it
 */
export function remoteFailure(cause: unknown, by: NamedBy, name: string): unknown {
  const { code, says, passedOn, refusesAddress, takesAll } = FORMS[by];
  if (cause instanceof ApiError) return cause;
  if (refusesAddress && cause instanceof AddressRefusedError) return refusedSource(cause, by);
  if (!takesAll && !isRemote(cause)) return cause;
  if (cause instanceof ImgapiError && isCode(cause.code)) {
    const message = passedOn?.(cause, name);
    if (message !== undefined) return new ApiError(cause.code, message, { cause });
  }
  return new ApiError(code, says(cause, name), { cause });
}

/** What went wrong, in words that may be another's: for reports and records. */
export function foreignMessage(error: unknown): string {
  if (isTimeout(error)) return 'it did not answer in time';
  return cutText(error instanceof Error ? error.message : String(error));
}

/** Of a time limit, whoever set it. */
export function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isRemote(error: unknown): boolean {
  return (
    error instanceof ImgapiError ||
    error instanceof ImgapiUnreachableError ||
    error instanceof SourceInvalidError ||
    isTimeout(error)
  );
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof ImgapiError && error.code === 'UnauthorizedError';
}

/** It may be linked with us no more, or never have been: no later try would help. */
function linkHint(datacenter: string): string {
  return `check with: imgapiadm datacenters check ${datacenter}; link with: imgapiadm link-dc ${datacenter} URL --token TOKEN`;
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
