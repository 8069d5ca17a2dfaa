/** Classifies the failures of sockets and of undici. */
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError, type TransportFault } from './errors.ts';

const FAULTS: Readonly<Record<string, TransportFault>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  ETIMEDOUT: 'connect-timeout',
  ECONNREFUSED: 'connect',
  ENOTFOUND: 'connect',
  EAI_AGAIN: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EHOSTDOWN: 'connect',
  EADDRNOTAVAIL: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'answer-timeout',
  UND_ERR_BODY_TIMEOUT: 'idle-timeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'short-body',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
};

const SAYS: Readonly<Record<TransportFault, string>> = {
  connect: 'cannot be reached',
  'connect-timeout': 'does not accept connections',
  'answer-timeout': 'does not answer',
  'idle-timeout': 'stopped in the middle of a body',
  reset: 'broke the connection',
  'short-body': 'ended a body early',
  protocol: 'does not speak HTTP',
};

/** What to reject with for `cause`. Errors that are not failures of the transport are returned as they are. */
export function toCallError(cause: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (cause instanceof ImgapiError || cause instanceof ImgapiUnreachableError) return cause;
  if (cause instanceof AddressRefusedError) return cause;
  if (codeOf(cause) === 'UND_ERR_INVALID_ARG' || cause instanceof TypeError) return cause;
  return unreachable(faultOf(cause), url, cause);
}

export function unreachable(fault: TransportFault, url: string, cause?: unknown): ImgapiUnreachableError {
  const detail = detailOf(cause);
  return new ImgapiUnreachableError(
    fault,
    url,
    `${url} ${SAYS[fault]}${detail}`,
    cause === undefined ? undefined : { cause },
  );
}

function detailOf(cause: unknown): string {
  if (PLAIN_ANSWERS.has(codeOf(cause))) {
    return ': it speaks plain HTTP there, not TLS; use http:// instead of https://';
  }
  return cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : '';
}

/** What OpenSSL reports when it gets an answer in plain HTTP. */
const PLAIN_ANSWERS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
]);

/** What is wrong with a certificate: its time, who signed it, or the name in it. */
const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** Whether the server was there, and its certificate was not accepted. */
export function isCertificateFault({ cause }: ImgapiUnreachableError): boolean {
  return CERTIFICATE.test(codeOf(cause));
}

function faultOf(cause: unknown): TransportFault {
  const code = codeOf(cause);
  const known = FAULTS[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_') || (cause instanceof Error && cause.name === 'HTTPParserError')) return 'protocol';
  if (/^ERR_(TLS|SSL)_/.test(code) || CERTIFICATE.test(code)) return 'connect';
  return 'reset';
}

/** Happy Eyeballs wraps the failures of all addresses in one error. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
