/**
 * Connections to servers that a request named. Where private addresses are not allowed, the address is looked at after
 * the name was resolved and is the one connected to, so that a name cannot answer differently the second time.
 */
import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { ApiError } from '../errors/api-error.ts';
import type { Service } from '../service.ts';

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  // IPv4 in disguise: translated (NAT64) and tunnelled (6to4).
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return PRIVATE.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

/** A dispatcher for one request's source; the caller closes it. @throws 422 for a literal private address */
export function sourceDispatcher(service: Service, url: URL): Dispatcher {
  const { allowInsecure, sources } = service.config;
  const connect = { timeout: 10_000, rejectUnauthorized: !allowInsecure };
  if (sources.allowPrivateAddresses) return new Agent({ connect });
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && isPrivateAddress(host)) throw refused(host);
  return new Agent({ connect: { ...connect, lookup: publicLookup } });
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0);
    const bad = addresses.find(({ address }) => isPrivateAddress(address));
    if (bad) return callback(refused(bad.address), '', 0);
    if (options.all) return callback(null, addresses);
    const [first] = addresses;
    return first
      ? callback(null, first.address, first.family)
      : callback(new Error(`${hostname} has no address`), '', 0);
  });
};

function refused(address: string): ApiError {
  return new ApiError(
    'InvalidParameter',
    `the source is at the private address ${address}, which is not allowed here`,
    {
      errors: [{ field: 'source', code: 'NotAllowed' }],
    },
  );
}
