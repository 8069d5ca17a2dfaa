/** Checks the URL of a link listener that the other datacenter announces, rather than an operator here. */
import { isIP } from 'node:net';
import { validationFailed } from '#lib/api/errors/api-error.ts';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost, portOf } from '#lib/network/listener-url.ts';
import { type Guarded, isLocalhost } from '../peers/address-guard.ts';
import { ownLinkUrl, ownPublicUrls } from './self.ts';

/**
 * It must not be a listener of ours, nor an address local to this machine, unless both datacenters run on it.
 * @param from the address that the request came from
 * @throws 422 ValidationFailed
 */
export function assertPeerUrl(service: Guarded, url: string, from: string): void {
  const host = bareHost(new URL(url));
  const address = isLocalhost(host) ? '127.0.0.1' : host;
  const isOurs = ownPublicUrls(service).includes(url) || service.ownAddresses.has(address, portOf(new URL(url)));
  const isHere = isFromHere(from) && isOfThisMachine(ownLinkUrl(service));
  if (!isOurs && (isIP(address) === 0 || mayBeThere(address, isHere))) return;
  throw validationFailed(
    'url',
    `the other datacenter gives its own URL as ${url}; this datacenter must not send requests there`,
  );
}

function mayBeThere(address: string, isHere: boolean): boolean {
  const kind = kindOfAddress(address);
  return kind === 'public' || kind === 'private' || (kind === 'loopback' && isHere);
}

/** If not, every request may seem to come from this machine because a proxy on it forwards them. */
function isOfThisMachine(url: string): boolean {
  const host = bareHost(new URL(url));
  return isLocalhost(host) || kindOfAddress(host) === 'loopback';
}

function isFromHere(from: string): boolean {
  return kindOfAddress(from.replace(/^::ffff:(?=\d+\.)/, '')) === 'loopback';
}
