/**
 * Turns failures of another server into errors of the API request that needed it. For copies, which run without a
 * request, see `copies/documents/failure-of.ts`.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { COME_BACK, comeBackAfter } from '#lib/api/errors/come-back.ts';
import { ERRORS, type ErrorCode, type ErrorSpec } from '#lib/api/errors/registry.ts';
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { withoutPlaces } from '#lib/text/without-places.ts';
import { refusedSource } from './address-guard.ts';
import { SourceInvalidError } from './errors.ts';

/** The parameter with which a request named the other server. */
export type NamedBy = 'url' | 'source' | 'file_url' | 'datacenter';

interface Form {
  readonly code: ErrorCode;
  /** @param name the parameter's value */
  readonly says: (error: unknown, name: string) => string;
  /** If the other's error is about the caller's own request: the message to pass on with the same code. */
  readonly passedOn?: (error: ImgapiError, name: string) => string | undefined;
  /** Whether a refused address is reported as an invalid parameter. */
  readonly refusesAddress: boolean;
  /** Whether errors that did not come from the other server are treated the same. */
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
    says: (error, url) => (error instanceof SourceInvalidError ? error.message : naming(url, error, `${url}: `)),
    refusesAddress: true,
  },
  file_url: {
    code: 'Download',
    says: (error, url) => naming(url, error, `${url} could not be fetched: `),
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

/** Errors of a datacenter about the caller's own request; any other is between the two datacenters. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set<ErrorCode>([
  'ResourceNotFound',
  'Forbidden',
  'TooManyRequests',
  'InvalidParameter',
]);

/**
 * The error for the caller when the other server failed. Errors that did not come from it are returned unchanged,
 * except for a datacenter. @param name the parameter's value, or what the message should call the server @param account the
 * caller's: it is not told where servers are
 */
export function remoteFailure(cause: unknown, by: NamedBy, name: string, account?: string): unknown {
  const { code, says, passedOn, refusesAddress, takesAll } = FORMS[by];
  if (cause instanceof ApiError) return cause;
  if (refusesAddress && cause instanceof AddressRefusedError) return refusedSource(cause, by);
  if (!takesAll && !isRemote(cause)) return cause;
  if (cause instanceof ImgapiError && isCode(cause.code)) {
    const message = passedOn?.(cause, name);
    if (message !== undefined) return new ApiError(cause.code, message, { cause, headers: comeBack(cause) });
  }
  const message = says(cause, name);
  const headers = code === 'RemoteSourceError' ? comeBack(cause) : {};
  return new ApiError(code, account === undefined ? message : withoutPlaces(message), { cause, headers });
}

/** When to come again, if the other server may answer otherwise then: what it refuses it refuses again. */
function comeBack(cause: unknown): Readonly<Record<string, string>> {
  if (cause instanceof ImgapiUnreachableError || isTimeout(cause)) return COME_BACK;
  if (!(cause instanceof ImgapiError)) return {};
  const { code, statusCode, retryAfter } = cause;
  if (retryAfter !== undefined) return comeBackAfter(retryAfter);
  const known: ErrorSpec | undefined = isCode(code) ? ERRORS[code] : undefined;
  // Older ones do not say when; and without a code of ours it is a proxy that answers for one that is away.
  return (known?.passes ?? (known === undefined && statusCode >= 500)) ? COME_BACK : {};
}

/** What went wrong, after the URL of the server unless it says itself where that was, as most of our own client do. */
function naming(url: string, error: unknown, beginning: string): string {
  const message = foreignMessage(error);
  const origin = URL.parse(url)?.origin;
  return origin !== undefined && message.includes(origin) ? message : `${beginning}${message}`;
}

/** What went wrong, possibly in the other server's words; for reports and records. */
export function foreignMessage(error: unknown): string {
  if (isTimeout(error)) return 'it did not answer in time';
  return cutText(error instanceof Error ? error.message : String(error));
}

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

/** The link may have ended or never existed, so that trying again would not help. */
function linkHint(datacenter: string): string {
  return `check with: imgapiadm datacenters check ${datacenter}; link with: imgapiadm link-dc ${datacenter} URL --token TOKEN`;
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
