/**
 * The wire form of HTTP Signature (draft-cavage-http-signatures): the `Authorization` header, and the string that is
 * signed. We do not use the package http-signature, because it does not support SHA-384, reads the system clock, and
 * checks whichever date header it finds, signed or not. The tests compare the two.
 */
import { SignatureError } from './errors.ts';

/** Header values by lower-case name, as node:http has them. */
export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The parts of a request that can be signed. */
export interface RequestTarget {
  readonly method: string;
  /** As on the request line: path with query. */
  readonly path: string;
  readonly headers: HeaderValues;
}

export interface SignatureParams {
  readonly keyId: string;
  /** As sent. */
  readonly algorithm: string;
  /** Lower-case names of what is signed, in order. */
  readonly headers: readonly string[];
  readonly signature: Buffer;
  /** Of http-signature 0.9: the values alone are signed, without their names. */
  readonly isOlderForm?: true;
}

export interface ParseOptions {
  /** Also takes the form of http-signature 0.9, `Signature keyId="…",algorithm="…" BASE64`. */
  readonly olderForm?: boolean;
}

export const REQUEST_TARGET = '(request-target)';

const PARAM = /\s*([A-Za-z]+)=(?:"([^"]*)"|(\d+))\s*(?:,|$)/y;
/** Of a signature, as it is sent. */
export const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Its signature is no parameter but what follows them. */
const OLDER_FORM = /^(.*") +([A-Za-z0-9+/]+={0,2})$/;
const QUOTABLE = /^[\x20\x21\x23-\x7e]+$/;

/**
 * Reads the Authorization header.
 * @throws SignatureError `missing` or `malformed`
 */
export function parseAuthorization(headers: HeaderValues, { olderForm = false }: ParseOptions = {}): SignatureParams {
  const authorization = headerValue(headers, 'authorization');
  if (authorization === undefined) {
    throw new SignatureError('missing', 'the request is not signed: it has no Authorization header');
  }
  const [scheme = '', rest = ''] = splitOnce(authorization.trim(), ' ');
  if (scheme.toLowerCase() !== 'signature') {
    throw malformed('its scheme must be Signature');
  }
  const [, olderParams, olderSignature] = (olderForm && OLDER_FORM.exec(rest.trim())) || [];
  if (olderParams !== undefined && olderSignature !== undefined) {
    return inOlderForm(headers, parseParams(olderParams), olderSignature);
  }
  const params = parseParams(rest);
  const signature = required(params, 'signature');
  if (!BASE64.test(signature)) throw malformed('signature is not base64');
  const signed = params.get('headers')?.toLowerCase().trim();
  return {
    keyId: required(params, 'keyId'),
    algorithm: required(params, 'algorithm'),
    headers: signed ? signed.split(/ +/) : [headers['x-date'] === undefined ? 'date' : 'x-date'],
    signature: Buffer.from(signature, 'base64'),
  };
}

/**
 * Only a date can be signed so. With more, what somebody signed in the newer form could be sent in this one, where nothing
 * says which header a value belongs to: for another path, say. For the same reason the value must be that of a date, not
 * a line of the newer form.
 */
function inOlderForm(headers: HeaderValues, params: ReadonlyMap<string, string>, signature: string): SignatureParams {
  const keyId = required(params, 'keyId');
  const date = headers['x-date'] === undefined ? 'date' : 'x-date';
  const signed = params.get('headers')?.toLowerCase().trim() || date;
  if (!DATES.includes(signed)) {
    throw malformed('in the form without the parameter signature only date can be signed', keyId);
  }
  if (/:\s/.test(headerValue(headers, signed) ?? '')) throw malformed(`the ${signed} header is not a date`, keyId);
  return {
    keyId,
    algorithm: required(params, 'algorithm'),
    headers: [signed],
    signature: Buffer.from(signature, 'base64'),
    isOlderForm: true,
  };
}

const DATES: readonly string[] = ['date', 'x-date'];

export function formatAuthorization(params: SignatureParams): string {
  if (!QUOTABLE.test(params.keyId)) throw new TypeError(`keyId ${JSON.stringify(params.keyId)} cannot be sent`);
  return (
    `Signature keyId="${params.keyId}",algorithm="${params.algorithm}",` +
    `headers="${params.headers.join(' ')}",signature="${params.signature.toString('base64')}"`
  );
}

/**
 * The text to sign: a line `name: value` for each name; in the older form the value alone.
 * @throws SignatureError `malformed` when the request has no such header
 */
export function signingString(request: RequestTarget, params: Omit<SignatureParams, 'signature'>): string {
  return params.headers
    .map((name) => {
      const value = signedValue(request, params, name);
      return params.isOlderForm ? value : `${name}: ${value}`;
    })
    .join('\n');
}

/** The value of a header as one text, even if the header is repeated. */
export function headerValue(headers: HeaderValues, name: string): string | undefined {
  // Names come from the request: "constructor" is not a header.
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

function signedValue(request: RequestTarget, params: Omit<SignatureParams, 'signature'>, name: string): string {
  switch (name) {
    case REQUEST_TARGET:
      return `${request.method.toLowerCase()} ${request.path}`;
    case '(keyid)':
      return params.keyId;
    case '(algorithm)':
      return params.algorithm;
    default: {
      const value = name.startsWith('(') ? undefined : headerValue(request.headers, name);
      if (value === undefined) throw malformed(`it signs "${name}", which the request does not have`, params.keyId);
      return value;
    }
  }
}

function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>();
  PARAM.lastIndex = 0;
  while (PARAM.lastIndex < text.length) {
    const at = PARAM.lastIndex;
    const match = PARAM.exec(text);
    const name = match?.[1];
    if (match === null || name === undefined) throw malformed(`parameter at character ${at} is not NAME="VALUE"`);
    if (params.has(name)) throw malformed(`${name} is given twice`);
    params.set(name, match[2] ?? match[3] ?? '');
  }
  return params;
}

function required(params: ReadonlyMap<string, string>, name: string): string {
  const value = params.get(name);
  if (!value) throw malformed(`${name} is missing`);
  return value;
}

function malformed(what: string, keyId?: string): SignatureError {
  return new SignatureError('malformed', `the Authorization header is not valid: ${what}`, {
    ...(keyId !== undefined && { keyId }),
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
