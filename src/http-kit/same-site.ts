/**
 * Refuses what another web site has a browser send here. Whoever reaches a port that trusts its network may write, and a
 * browser inside that network would carry the wishes of any page that it shows. Other clients send neither header.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { RequestError } from './request-error.ts';

/** They change nothing, and the other site does not get to read the answer. */
const READS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** `none`: the user's own doing. */
const OWN: readonly string[] = ['same-origin', 'none'];
const OTHERS: readonly string[] = ['same-site', 'cross-site'];
const SHOWN = 100;

/** @throws 400 BadRequest */
export function assertSameSite({
  method,
  headers,
}: {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}): void {
  if (READS.has(method)) return;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string') {
    if (OWN.includes(site)) return;
    if (OTHERS.includes(site)) throw refusal(`Sec-Fetch-Site is ${site}`);
  }
  // Browsers send the other header only where the connection is secure.
  if (origin === undefined || isOf(origin, host)) return;
  throw refusal(`Origin is ${JSON.stringify(origin.slice(0, SHOWN))}, and Host ${JSON.stringify(host ?? '')}`);
}

/** Only the host: behind a proxy that speaks TLS nobody here knows the scheme. */
function isOf(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin);
  return url !== null && url.host !== '' && url.host === URL.parse(`${url.protocol}//${host ?? ''}`)?.host;
}

function refusal(what: string): RequestError {
  return new RequestError('BadRequest', `${what}: a page of another site may not change anything here`);
}
