/**
 * URLs that give anyone who has them temporary access to one path, signed with a secret of this service (HMAC-SHA256).
 * The signature covers path, methods, expiry and every other query parameter, but not the host, so that a proxy may
 * stand in front.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { withoutEnd } from '../text/without-end.ts';
import { SignedUrlError } from './errors.ts';

export type UrlMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

export interface SignUrlOptions {
  /** Scheme, host and port, and a path prefix if a proxy in front strips one. */
  readonly baseUrl: string;
  /** Encoded, starting with a slash, as the server will see it; without a query. */
  readonly path: string;
  /** Default GET and HEAD. */
  readonly methods?: readonly UrlMethod[];
  readonly expires: Date;
  readonly secret: string | Uint8Array;
  /** Other query parameters. */
  readonly query?: Readonly<Record<string, string>>;
}

export interface VerifyUrlOptions {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  /** The secret in use, and an older one while it is being replaced. */
  readonly secrets: readonly (string | Uint8Array)[];
  readonly clock?: Clock;
}

export interface VerifiedUrl {
  readonly path: string;
  readonly expires: Date;
  /** The other query parameters. */
  readonly query: URLSearchParams;
}

const READ: readonly UrlMethod[] = ['GET', 'HEAD'];
const DIGITS = /^\d{1,12}$/;

export function signUrl(options: SignUrlOptions): string {
  if (!options.path.startsWith('/') || /[?#]/.test(options.path)) {
    throw new TypeError(`path ${JSON.stringify(options.path)} must start with a slash and have no query`);
  }
  const query = new URLSearchParams({ ...options.query });
  query.set('expires', String(Math.floor(options.expires.getTime() / 1000)));
  query.set('methods', [...(options.methods ?? READ)].sort().join(','));
  query.set('signature', signatureOf(options.path, query, options.secret).toString('base64url'));
  return `${withoutEnd(options.baseUrl, '/')}${options.path}?${query}`;
}

/**
 * The signature is checked first, so only a URL that was once valid is reported as `expired`.
 * @throws SignedUrlError
 */
export function verifyUrl(options: VerifyUrlOptions): VerifiedUrl {
  const at = options.url.indexOf('?');
  const path = at < 0 ? options.url : options.url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : options.url.slice(at + 1));
  const signature = Buffer.from(only(query, 'signature'), 'base64url');
  const seconds = only(query, 'expires');
  const methods = only(query, 'methods');
  query.delete('signature');
  const good = options.secrets.some((secret) => equal(signatureOf(path, query, secret), signature));
  if (!good || !DIGITS.test(seconds)) throw new SignedUrlError('bad', 'the signature of the URL is not valid');
  if (!methods.split(',').includes(options.method)) {
    throw new SignedUrlError('bad', `the URL is signed for ${methods}, not for ${options.method}`);
  }
  const expires = new Date(Number(seconds) * 1000);
  if ((options.clock ?? systemClock).now() >= expires.getTime()) {
    throw new SignedUrlError('expired', `the URL expired at ${expires.toISOString()}`);
  }
  query.delete('expires');
  query.delete('methods');
  return { path, expires, query };
}

function signatureOf(path: string, query: URLSearchParams, secret: string | Uint8Array): Buffer {
  const sorted = new URLSearchParams(query);
  sorted.sort();
  return createHmac('sha256', secret).update(`${path}\n${sorted}`).digest();
}

function only(query: URLSearchParams, name: string): string {
  const [value, ...more] = query.getAll(name);
  if (value === undefined || more.length > 0) {
    throw new SignedUrlError('bad', `the URL must have exactly one query parameter "${name}"`);
  }
  return value;
}

function equal(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
