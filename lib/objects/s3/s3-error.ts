/** Failures of calls to S3: which ones are worth another attempt, and what they mean to whoever called. */
import { InsufficientStorageError, ObjectStoreUnavailableError } from '../errors.ts';
import { isOfConnecting } from '../of-connecting.ts';

/** A call that failed, after all attempts that were worth it. */
export class S3Error extends ObjectStoreUnavailableError {
  /** As in S3's answer (`NoSuchKey`), of the connection (`ECONNRESET`), or the name of the error. */
  readonly code: string;
  /** Of the answer, if there was one. */
  readonly status: number | undefined;

  constructor(operation: string, code: string, status: number | undefined, options: ErrorOptions) {
    super(describe(operation, code, status), options);
    this.code = code;
    this.status = status;
  }
}

/** By S3's code. Whatever else there is, statuses decide. */
const CODES: Readonly<Record<string, 'again' | 'full'>> = {
  SlowDown: 'again',
  ServiceUnavailable: 'again',
  InternalError: 'again',
  RequestTimeout: 'again',
  // The SDK has learnt the difference from the answer, and signs the next attempt by the store's clock.
  RequestTimeTooSkewed: 'again',
  OperationAborted: 'again',
  ConditionalRequestConflict: 'again',
  IncompleteBody: 'again',
  BadDigest: 'again',
  XAmzContentSHA256Mismatch: 'again',
  Throttling: 'again',
  ThrottlingException: 'again',
  TooManyRequests: 'again',
  RequestThrottled: 'again',
  BandwidthLimitExceeded: 'again',
  QuotaExceeded: 'full',
  InsufficientStorage: 'full',
  NotEnoughSpace: 'full',
  NoSpaceLeft: 'full',
  XMinioStorageFull: 'full',
  EntityTooLarge: 'full',
};

const MEANINGS: Readonly<Record<string, string>> = {
  RequestTimeTooSkewed: "the clocks of this machine and of the object store differ too much for the store's signatures",
  InvalidAccessKeyId: 'the object store does not know the access key',
  SignatureDoesNotMatch: 'the secret access key is not the one of the access key',
  ExpiredToken: 'the credentials for the object store have expired',
  CredentialsProviderError: 'there are no credentials for the object store',
  NoSuchBucket: 'the bucket does not exist',
  AccessDenied: 'the credentials do not allow this in the bucket',
  PermanentRedirect: 'the bucket is in another region',
  AuthorizationHeaderMalformed: 'the bucket is in another region',
};

interface Answered {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
}

/** @param error as the SDK throws it. @param needed bytes that were to be written */
export function s3Error(operation: string, error: unknown, needed = 0): Error {
  const { code, status } = codeOf(error);
  if (CODES[code] === 'full' || status === 507) {
    const why = `the store takes no more bytes (${operation}: ${status} ${code}), as when a quota is used up`;
    return new InsufficientStorageError(needed, 0, why);
  }
  return new S3Error(operation, code, status, { cause: error });
}

/** Whether the same call may succeed in a moment. What S3 did not answer, or not as S3, may. */
export function isTransient(error: unknown): boolean {
  const { code, status } = codeOf(error);
  if (code in CODES) return CODES[code] === 'again';
  if (code === 'CredentialsProviderError') return false;
  return status === undefined || status < 300 || status === 429 || (status >= 500 && status !== 501 && status !== 507);
}

/** Whether S3 may have done what it was asked, or may do it yet, though an attempt has failed with this error. */
export function mayHaveHappened(error: unknown): boolean {
  const { code, status } = codeOf(error);
  if (status === undefined) return code !== 'CredentialsProviderError' && !isOfConnecting(error);
  return status < 300 || (status >= 500 && !REFUSALS.has(status));
}

/** Not implemented, too many requests for now, no room. */
const REFUSALS: ReadonlySet<number> = new Set([501, 503, 507]);

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof S3Error && codes.includes(error.code);
}

/** HEAD has no body, so it knows no better code than `NotFound`. */
export function isMissing(error: unknown): boolean {
  return isCode(error, 'NoSuchKey', 'NotFound', 'NoSuchUpload');
}

/** Refused by a status alone, as what has no body is: another call is told why. */
export function isWithoutReason(error: unknown): error is S3Error {
  return error instanceof S3Error && REFUSED.has(error.status ?? 0) && !(error.code in MEANINGS);
}

/** Another region, signatures that make no sense, and all else that is refused. */
const REFUSED: ReadonlySet<number> = new Set([301, 400, 403]);

/** The store does not have this operation, or this condition. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof S3Error && (error.status === 501 || error.status === 405 || error.code === 'NotImplemented');
}

function codeOf(error: unknown): { readonly code: string; readonly status: number | undefined } {
  if (!(error instanceof Error)) return { code: 'Error', status: undefined };
  const { $metadata, code } = error as Answered;
  const status = $metadata?.httpStatusCode;
  return { code: status === undefined && typeof code === 'string' ? code : error.name, status };
}

function describe(operation: string, code: string, status: number | undefined): string {
  const meaning = MEANINGS[code];
  const answer = status === undefined ? code : `${status} ${code}`;
  return meaning === undefined ? `${operation} failed: ${answer}` : `${meaning} (${operation}: ${answer})`;
}

/**
 * Whatever else stands at the endpoint, such as the sign-in page of a proxy, may answer 200 and do nothing.
 * @param shown what the answers of a store always have. @throws S3Error
 */
export function assertDone(operation: string, shown: unknown): void {
  if (!shown) throw new S3Error(operation, 'the answer is not that of an object store', undefined, {});
}
