/**
 * Requests that are signed by parameters of their query, so that whoever has the URL may use it until it expires: the form
 * that Manta has, with an account's own key. The signature covers methods, host, path and all other parameters.
 */
import { parse } from 'node:querystring';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { SignatureError } from './errors.ts';
import { BASE64, headerValue, type RequestTarget } from './signature-header.ts';
import { type VerifySignatureOptions, verifySignature } from './verify-signature.ts';

/** Without all of these a request is not signed in this way. */
const NEEDED = ['algorithm', 'expires', 'keyId', 'signature'] as const;

/** Seconds since 1970. */
const SECONDS = /^\d{1,12}$/;

export interface VerifyPresignedOptions extends VerifySignatureOptions {
  readonly clock?: Clock;
  /** The request as its sender saw it, if a proxy may have changed its path or host. A signature over this is valid too. */
  readonly asSent?: RequestTarget | undefined;
}

/** Whether the query has any of the parameters that sign a request. */
export function isPresigned({ path }: Pick<RequestTarget, 'path'>): boolean {
  const query = queryOf(path);
  return NEEDED.some((name) => query[name]);
}

/**
 * The expiry is looked at last, so that only who had a valid URL is told that it expired.
 * @throws SignatureError
 */
export async function verifyPresigned(request: RequestTarget, options: VerifyPresignedOptions): Promise<void> {
  const { keyId, algorithm, signature, expires } = presigned(queryOf(request.path));
  const methods = methodsOf(request);
  if (!methods.includes(request.method)) {
    throw malformed(`it is signed for ${methods.join(', ')}, not for ${request.method}`, keyId);
  }
  const texts = [request, ...(options.asSent ? [options.asSent] : [])].map(signedText);
  await verifySignature({ keyId, algorithm, texts, signature: Buffer.from(signature, 'base64') }, options);
  if ((options.clock ?? systemClock).now() > Number(expires) * 1000) {
    throw new SignatureError('expired', `the URL expired at ${new Date(Number(expires) * 1000).toISOString()}`, {
      keyId,
    });
  }
}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

function queryOf(path: string): Query {
  const at = path.indexOf('?');
  return at < 0 ? {} : parse(path.slice(at + 1), '&', '=', { maxKeys: 0 });
}

function presigned(query: Query): Readonly<Record<(typeof NEEDED)[number], string>> {
  const missing = NEEDED.filter((name) => !query[name]);
  if (missing.length > 0) throw malformed(`parameters "${missing.join(', ')}" are required`);
  // As text a list is the same as its items with commas between them.
  const repeated = Object.keys(query).find((name) => typeof query[name] !== 'string');
  if (repeated !== undefined) throw malformed(`parameter "${repeated}" is given more than once`);
  const { keyId = '', algorithm = '', expires = '', signature = '' } = query as Readonly<Record<string, string>>;
  if (!SECONDS.test(expires)) throw malformed('expires is not a number of seconds since 1970', keyId);
  if (!BASE64.test(signature)) throw malformed('signature is not base64', keyId);
  return { keyId, algorithm, expires, signature };
}

/** The parameter `method` names several; without it the request's own is signed. */
function methodsOf({ method, path }: RequestTarget): readonly string[] {
  const named = queryOf(path)['method'] || method;
  // What stands before the first and after the last of them is part of their names.
  const names = String(named).split(',');
  return names.map((name, at) => trimmed(name, at > 0, at < names.length - 1)).toSorted();
}

function trimmed(text: string, atStart: boolean, atEnd: boolean): string {
  const from = atStart ? text.trimStart() : text;
  return atEnd ? from.trimEnd() : from;
}

function signedText(request: RequestTarget): string {
  const query = queryOf(request.path);
  const signed = Object.keys(query)
    .toSorted((one, other) => one.localeCompare(other, 'en'))
    .filter((name) => name.toLowerCase() !== 'signature')
    .map((name) => `${encoded(name)}=${encoded(String(query[name]))}`);
  const [path = ''] = request.path.split('?', 1);
  const host = headerValue(request.headers, 'host') ?? '';
  return [methodsOf(request).join(','), host, path, signed.join('&')].join('\n');
}

/** As RFC 3986 has it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function malformed(what: string, keyId?: string): SignatureError {
  return new SignatureError('malformed', `the signed URL is not valid: ${what}`, {
    ...(keyId !== undefined && { keyId }),
  });
}
