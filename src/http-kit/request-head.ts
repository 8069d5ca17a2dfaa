/**
 * Settles, before anything else looks at a request, what a proxy in front could read differently: its target, and where
 * its body ends. The target is reduced to path and query; Host has no part in that. Routes, signatures, signed URLs and the
 * log all read the same target.
 */
import { LRUCache } from 'lru-cache';
import { RequestError } from './request-error.ts';

/** The parts of a request that are read, and `url`, which is set. */
export interface Targeted {
  readonly method?: string | undefined;
  url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: { readonly host?: string | undefined };
  readonly rawHeaders: readonly string[];
}

/** Characters of a target. */
const LONGEST_TARGET = 16 * 1024;

const ABSOLUTE = /^(https?):\/\/([^/?]*)(.*)$/i;
/** Visible ASCII except `#`: some readers would ignore what follows it, and others would not. */
const PLAIN = /^[!"$-~]*$/;
const HOST = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i;
/** Characters of a value that a message shows. */
const SHOWN = 100;

/** Clients send the same few hosts. */
const KNOWN_HOSTS = new LRUCache<string, true>({ max: 100 });

/**
 * Leaves only path and query in `url`, also of an absolute target (as sent to a proxy). `OPTIONS *` keeps its `*`.
 * @throws 400 BadRequest, 414 RequestUriTooLong
 */
export function settleTarget(request: Targeted): void {
  assertHost(request);
  const target = request.url ?? '';
  if (target.length > LONGEST_TARGET) {
    const limit = `at most ${LONGEST_TARGET} are allowed`;
    throw new RequestError('RequestUriTooLong', `the request target has ${target.length} characters; ${limit}`);
  }
  if (!PLAIN.test(target)) {
    throw bad(`the request target is ${shown(target)}; # and all but visible ASCII must be percent-encoded`);
  }
  if (target.startsWith('/') || (target === '*' && request.method === 'OPTIONS')) return;
  request.url = fromAbsolute(target, request.headers.host);
}

/** HTTP/1.1 requires one Host header, 1.0 allows one. */
function assertHost({ headers, rawHeaders, httpVersionMajor, httpVersionMinor }: Targeted): void {
  const { host } = headers;
  if (host === undefined) {
    if (httpVersionMajor === 1 && httpVersionMinor === 0) return;
    throw bad('the request has no Host header');
  }
  if (!isHost(host)) {
    throw bad(`the Host header is ${shown(host)}; it must be a host name or address, optionally a port`);
  }
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  if (count > 1) throw bad(`the request has ${count} Host headers`);
}

function isHost(host: string): boolean {
  if (KNOWN_HOSTS.get(host)) return true;
  if (host.length > 261 || !HOST.test(host) || !URL.canParse(`http://${host}`)) return false;
  KNOWN_HOSTS.set(host, true);
  return true;
}

function fromAbsolute(target: string, host: string | undefined): string {
  const [, scheme = '', authority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  if (scheme === '') throw bad(`the request target is ${shown(target)}; it must begin with a slash`);
  if (!isHost(authority)) throw bad(`the request target is for ${shown(authority)}, which is not a host`);
  if (host !== undefined && !isSameHost(scheme, authority, host)) {
    throw bad(`the request target is for ${shown(authority)}, but the Host header is for ${shown(host)}`);
  }
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** `URL` drops a default port, which some clients send and others do not. */
function isSameHost(scheme: string, one: string, other: string): boolean {
  return new URL(`${scheme}://${one}`).host === new URL(`${scheme}://${other}`).host;
}

/** The path of a target that `settleTarget` has reduced, as it was sent. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

function bad(message: string): RequestError {
  return new RequestError('BadRequest', message);
}

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** The parts of a request that tell where its body ends. */
export interface Framed {
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: { readonly 'transfer-encoding'?: string | undefined };
}

/**
 * node's parser accepts any coding that ends with `chunked` and does not decode the others. It does so in HTTP/1.0 too,
 * where proxies read to the end of the connection. @throws 400 InvalidHeader
 */
export function assertFraming({ headers, httpVersionMajor, httpVersionMinor }: Framed): void {
  const { 'transfer-encoding': coding } = headers;
  if (coding === undefined) return;
  if (coding.trim().toLowerCase() !== 'chunked') {
    const shown = JSON.stringify(coding.slice(0, 100));
    throw new RequestError('InvalidHeader', `Transfer-Encoding is ${shown}; it can only be chunked, alone`);
  }
  if (httpVersionMajor === 1 && httpVersionMinor === 0) {
    throw new RequestError('InvalidHeader', 'HTTP/1.0 has no Transfer-Encoding; send Content-Length');
  }
}
