/**
 * The errors of calls to an IMGAPI. An aborted call rejects with its signal's reason instead. Text from the other side
 * is shortened here, whatever becomes of the error.
 */
import type { FieldProblem } from '../api/schemas/error.ts';
import { cutText } from '../text/cut-text.ts';
import { redact } from '../text/redact.ts';

/** Bytes of a code, a field's name or an id. */
const LONGEST_NAME = 100;
const MOST_FIELD_ERRORS = 20;

export type ImgapiFieldError = FieldProblem;

export interface ImgapiErrorOptions extends ErrorOptions {
  readonly code: string;
  readonly statusCode: number;
  readonly errors?: readonly ImgapiFieldError[];
  readonly requestId?: string;
  /** Seconds of the Retry-After header. */
  readonly retryAfter?: number;
  /** See {@link ImgapiError.headers}. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The server answered with an error, or with something that is not an answer to the call. */
export class ImgapiError extends Error {
  override readonly name = 'ImgapiError';
  /**
   * As in the error's body; `Redirect` for a redirection, which is never followed; `InvalidAnswer` for an answer of
   * success that is not what was asked for; `HttpNNN` for an error without a code of its own.
   */
  readonly code: string;
  readonly statusCode: number;
  readonly errors: readonly ImgapiFieldError[] | undefined;
  /** Finds the call in the server's log. */
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;
  /** Those that say what would have been right, in lower case: `upload-offset`, `accept-patch`, `content-range`, `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, options: ImgapiErrorOptions) {
    super(cutText(redact(message)), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = cutText(options.code, LONGEST_NAME);
    this.statusCode = options.statusCode;
    this.errors = options.errors?.slice(0, MOST_FIELD_ERRORS).map(cutFieldError);
    this.requestId = options.requestId === undefined ? undefined : cutText(options.requestId, LONGEST_NAME);
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
  }
}

function cutFieldError({ field, code, message }: ImgapiFieldError): ImgapiFieldError {
  return {
    field: cutText(field, LONGEST_NAME),
    code: cutText(code, LONGEST_NAME),
    ...(typeof message === 'string' && { message: cutText(redact(message)) }),
  };
}

export const TRANSPORT_FAULTS = [
  /** No connection: refused, no route, no such host, or a TLS failure. */
  'connect',
  'connect-timeout',
  /** The request was sent, but no answer began in time. */
  'answer-timeout',
  /** A body stalled, in either direction. */
  'idle-timeout',
  /** The connection broke. */
  'reset',
  /** The body ended before its Content-Length. */
  'short-body',
  /** The answer is not HTTP. */
  'protocol',
] as const;
export type TransportFault = (typeof TRANSPORT_FAULTS)[number];

/** The server could not be asked, or its answer did not arrive whole. The same call may succeed later. */
export class ImgapiUnreachableError extends Error {
  override readonly name = 'ImgapiUnreachableError';
  readonly fault: TransportFault;
  /** What was asked, without its query. */
  readonly url: string;

  constructor(fault: TransportFault, url: string, message: string, options?: ErrorOptions) {
    super(cutText(redact(message)), options);
    this.fault = fault;
    this.url = cutText(url);
  }
}

/** A URL leads to an address that this server must not connect to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}
