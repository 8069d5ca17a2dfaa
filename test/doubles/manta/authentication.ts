/** Who makes a request, by Manta's rules: http-signature's header form, or a URL that was signed beforehand. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import httpSignature, { type ParseResponse } from 'http-signature';
import type sshpk from 'sshpk';
import { MantaFault } from './errors.ts';

export interface AccountKeys {
  readonly keys: Map<string, sshpk.Key>;
  /** May do everything everywhere. */
  readonly isOperator: boolean;
  /** A subuser may do what the roles that it has allow: here all or nothing. */
  readonly subusers: Map<string, { readonly keys: Map<string, sshpk.Key>; readonly mayAll: boolean }>;
}

export type Accounts = ReadonlyMap<string, AccountKeys>;

export interface Caller {
  readonly login: string;
  readonly subuser?: string;
  readonly mayAll: boolean;
  /** Of the whole Manta. */
  readonly isOperator: boolean;
}

const SKEW_SECONDS = 300;
const SUPPORTED = /^(RSA|DSA|ECDSA)-SHA(1|256|384|512)$|^ED25519-SHA512$/;

/** Undefined: anonymous. @throws MantaFault */
export function callerOf(
  request: IncomingMessage,
  query: URLSearchParams,
  accounts: Accounts,
  now: number,
): Caller | undefined {
  if (query.has('signature') || query.has('expires') || query.has('keyId')) {
    return presigned(request, query, accounts, now);
  }
  if (request.headers.authorization === undefined) return undefined;
  return signed(request, accounts, now);
}

function signed(request: IncomingMessage, accounts: Accounts, now: number): Caller {
  const date = Date.parse(String(request.headers['x-date'] ?? request.headers.date));
  const skew = Math.abs(date - now) / 1000;
  if (skew > SKEW_SECONDS) {
    const message = `clock skew of ${skew.toFixed(0)}s was greater than ${SKEW_SECONDS}s`;
    throw new MantaFault('InvalidHeader', message);
  }
  const parsed = parse(request);
  const { algorithm = '' } = parsed.params;
  if (/^hmac/i.test(algorithm)) throw new MantaFault('InvalidAlgorithm', `${algorithm} is not supported`);
  const [caller, key] = keyOf(parsed.params.keyId, accounts);
  if (!httpSignature.verifySignature(parsed, key.toString('pem'))) {
    throw new MantaFault('InvalidSignature', 'The signature we calculated does not match the one you sent');
  }
  return caller;
}

function parse(request: IncomingMessage): ParseResponse {
  try {
    // The date was looked at before, by the double's own clock.
    return httpSignature.parseRequest(request as unknown as ClientRequest, { clockSkew: Number.MAX_SAFE_INTEGER });
  } catch (error) {
    throw new MantaFault('InvalidHeader', (error as Error).message);
  }
}

function keyOf(keyId: string, accounts: Accounts): [Caller, sshpk.Key] {
  const [, login = '', subuser, fingerprint = ''] = /^\/([^/]+)(?:\/([^/]+))?\/keys\/([^/]+)$/.exec(keyId) ?? [];
  if (login === '') throw new MantaFault('InvalidKeyId', 'the KeyId token you provided is invalid');
  const account = accounts.get(login);
  if (account === undefined) throw new MantaFault('AccountDoesNotExist', `${login} does not exist`);
  const user = subuser === undefined ? undefined : account.subusers.get(subuser);
  if (subuser !== undefined && user === undefined) {
    throw new MantaFault('UserDoesNotExist', `${login}/${subuser} does not exist`);
  }
  const key = (user ?? account).keys.get(fingerprint);
  if (key === undefined) throw new MantaFault('KeyDoesNotExist', `${keyId} does not exist`);
  return [
    { login, ...(subuser !== undefined && { subuser }), mayAll: user?.mayAll ?? true, isOperator: account.isOperator },
    key,
  ];
}

function invalid(why: string): MantaFault {
  return new MantaFault('InvalidQueryStringAuthentication', why);
}

const NEEDED = ['algorithm', 'expires', 'keyId', 'signature'];

function presigned(request: IncomingMessage, query: URLSearchParams, accounts: Accounts, now: number): Caller {
  const missing = NEEDED.filter((name) => !query.get(name));
  if (missing.length > 0) throw invalid(`parameters "${missing.join('", "')}" are required`);
  const methods = query.get('method') ?? request.method ?? '';
  if (!methods.split(',').includes(request.method ?? '')) throw invalid(`${request.method} was not a signed method`);
  if (Number(query.get('expires')) * 1000 < now) throw invalid('request expired');
  const algorithm = (query.get('algorithm') ?? '').toUpperCase();
  if (!SUPPORTED.test(algorithm)) throw invalid(`${algorithm} is not a supported signing algorithm`);
  const [caller, key] = keyOf(query.get('keyId') ?? '', accounts);
  const [path] = (request.url ?? '').split('?');
  const line = `${methods}\n${request.headers.host}\n${path}\n${canonical(query)}`;
  const hash = algorithm.split('-')[1]?.toLowerCase() as 'sha256';
  if (!verifies(key.createVerify(hash), line, query.get('signature') ?? '')) {
    throw new MantaFault('InvalidSignature', 'The signature we calculated does not match the one you sent');
  }
  return caller;
}

function verifies(verifier: ReturnType<sshpk.Key['createVerify']>, line: string, signature: string): boolean {
  try {
    verifier.update(line);
    return (verifier as unknown as { verify(signature: string, encoding: string): boolean }).verify(
      signature,
      'base64',
    );
  } catch {
    return false;
  }
}

function canonical(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'signature')
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join('&');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
