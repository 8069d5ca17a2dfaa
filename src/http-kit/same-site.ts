/**
 * Refuses what another web site has a browser send here. Whoever reaches a port that trusts its network may write, and a
 * browser inside that network would carry the wishes of any page that it shows. Other clients send neither header.
 *
 * A page may also be of a name whose owner has it resolve to this service once the page is loaded (DNS rebinding): to the
 * browser both are one site. So a listener that trusts its network is told by which names its pages go.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { RequestError } from './request-error.ts';

/** They change nothing, and the other site does not get to read the answer. */
const READS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** `none`: the user's own doing. */
const OWN: readonly string[] = ['same-origin', 'none'];
const OTHERS: readonly string[] = ['same-site', 'cross-site'];
const SHOWN = 100;
/** Names that nobody else can have lead elsewhere: RFC 6761. */
const LOCAL = /^(?:.+\.)?localhost$/;

/**
 * @param pageHosts names, in lower case, by which pages of this service may be shown besides addresses and localhost;
 *   undefined: any
 * @throws 400 BadRequest
 */
export function assertSameSite(
  { method, headers }: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
  pageHosts?: readonly string[],
): void {
  if (READS.has(method)) return;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string' && OTHERS.includes(site)) throw refusal(`Sec-Fetch-Site is ${site}`);
  const isOwn = typeof site === 'string' && OWN.includes(site);
  // Browsers send the other header only where the connection is secure.
  if (!isOwn && origin !== undefined && !isOf(origin, host)) {
    throw refusal(`Origin is ${shown(origin)}, and Host ${shown(host ?? '')}`);
  }
  if (pageHosts !== undefined && origin !== undefined) assertKnown(origin, pageHosts);
}

function assertKnown(origin: string, pageHosts: readonly string[]): void {
  const name = URL.parse(origin)?.hostname ?? '';
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) || LOCAL.test(name) || pageHosts.includes(name)) return;
  throw new RequestError(
    'BadRequest',
    `Origin is ${shown(origin)}: pages may change something here only by an address, localhost, or the name in publicUrl`,
  );
}

/** Only the host: behind a proxy that speaks TLS nobody here knows the scheme. */
function isOf(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin);
  return url !== null && url.host !== '' && url.host === URL.parse(`${url.protocol}//${host ?? ''}`)?.host;
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, SHOWN));
}

function refusal(what: string): RequestError {
  return new RequestError('BadRequest', `${what}: a page of another site may not change anything here`);
}
