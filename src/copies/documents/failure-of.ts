/**
 * What an error means for a copy: a table from thrown errors to failure codes. The code's row in `failures.ts` says
 * whether the copy is tried again.
 */
import { cutText } from '#lib/text/cut-text.ts';
import { withoutPlaces } from '#lib/text/without-places.ts';
import { CopyError, type CopyFailure, type FailureCode } from './failures.ts';

interface Rule {
  /** The name of the error class, the `code` of a Node system error, or the `fault` of a connection. */
  readonly error: string | readonly string[];
  /** The HTTP status of the source's answer, or the first and last of a range. */
  readonly status?: number | readonly [number, number];
  readonly code: FailureCode;
}

/** The first rule that matches decides; an error is checked before its cause. */
const RULES: readonly Rule[] = [
  { error: 'NotImageOwner', code: 'NotOwner' },
  { error: 'ImgapiError', status: 401, code: 'SourceUnauthorized' },
  { error: 'ImgapiError', status: 404, code: 'SourceGone' },
  { error: 'ImgapiError', status: 408, code: 'SourceError' },
  { error: 'ImgapiError', status: 409, code: 'SourceError' },
  { error: 'ImgapiError', status: 412, code: 'SourceChanged' },
  // The file there is shorter than what is staged here, so the staged bytes are of another file.
  { error: 'ImgapiError', status: 416, code: 'WrongBytes' },
  { error: 'ImgapiError', status: 429, code: 'SourceError' },
  { error: 'ImgapiError', status: [500, 599], code: 'SourceError' },
  { error: 'ImgapiError', code: 'SourceInvalid' },
  { error: 'NotLinked', code: 'NotLinked' },
  { error: ['SourceInvalidError', 'AddressRefusedError'], code: 'SourceInvalid' },
  { error: ['idle-timeout', 'answer-timeout'], code: 'Stalled' },
  { error: 'ImgapiUnreachableError', code: 'SourceUnreachable' },
  { error: 'TooLargeError', code: 'WrongBytes' },
  { error: ['InsufficientStorageError', 'InsufficientStorage', 'ENOSPC', 'EDQUOT'], code: 'InsufficientStorage' },
  {
    error: [
      'ObjectStoreUnavailableError',
      'StoreUnavailableError',
      'StoreFullError',
      'DirectoryUnavailableError',
      'StorageIsDown',
    ],
    code: 'StorageIsDown',
  },
  { error: ['EtagConflictError', 'ImageFileBusy', 'Conflict'], code: 'Busy' },
  {
    error: [
      ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
      ...['ETIMEDOUT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET', 'UND_ERR_ABORTED'],
      ...['UND_ERR_BODY_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'],
      ...['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'HPE_INVALID_EOF_STATE', 'TimeoutError'],
    ],
    code: 'SourceUnreachable',
  },
];

/** How many causes of causes to look at. */
const DEEPEST = 5;

export function failureOf(error: unknown): CopyFailure {
  for (const [depth, link] of causes(error).entries()) {
    if (link instanceof CopyError) return { code: link.code, message: link.message };
    const rule = RULES.find((candidate) => fits(candidate, link));
    if (rule) return { code: rule.code, message: messageOf(depth === 0 ? link : error) };
  }
  return { code: 'InternalError', message: messageOf(error) };
}

/**
 * The failure as it is recorded and shown to whoever asked for the copy. @param account absent for an operator: only operators
 * are told where other servers are
 */
export function failureFor(account: string | undefined, error: unknown): CopyFailure {
  const { code, message } = failureOf(error);
  return { code, message: account === undefined ? message : withoutPlaces(message) };
}

/** The error, its cause, the cause of that, and so on. */
function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let link = error; link instanceof Error && found.length < DEEPEST; ) {
    found.push(link);
    // In a VError, `cause` is a function.
    const { cause }: { cause?: unknown } = link;
    link = typeof cause === 'function' ? cause.call(link) : cause;
  }
  return found;
}

function fits(rule: Rule, error: Error): boolean {
  const { code, fault, statusCode } = error as Partial<Record<'code' | 'fault' | 'statusCode', unknown>>;
  const names: readonly unknown[] = [rule.error].flat();
  if (![error.name, code, fault].some((name) => names.includes(name))) return false;
  if (rule.status === undefined) return true;
  const [first, last] = typeof rule.status === 'number' ? [rule.status, rule.status] : rule.status;
  return typeof statusCode === 'number' && statusCode >= first && statusCode <= last;
}

function messageOf(error: unknown): string {
  return cutText(error instanceof Error ? error.message : String(error));
}
