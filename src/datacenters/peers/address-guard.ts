/**
 * The check before every connection to another server: a linked datacenter, a pull URL, or an IMGAPI or file that a
 * request named. It checks the actual addresses, after names are resolved.
 *
 * | the address | configured or linked by an operator | in an operator's request | not named |
 * |---|---|---|---|
 * | one of our own listeners, or nowhere (`0.0.0.0`, multicast) | no | no | no |
 * | public | yes | yes | yes |
 * | private, unique-local | yes | if `sources` allows it | no |
 * | loopback | if the address or `localhost` was named | the same, if `sources` allows it | no |
 * | link-local, site-local, reserved | if the address itself was named | no | no |
 * | an IPv6 form of an IPv4 address | as that address, or if the form itself was named | as that address | no |
 */
import { isIP } from 'node:net';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { AddressRefusedError } from '#lib/client/errors.ts';
import { type AddressCheck, type ConnectTarget, type GuardedAgent, guardedAgent } from '#lib/client/guarded-agent.ts';
import { heldIpv4, kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost, portOf } from '#lib/network/listener-url.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { OwnAddresses } from '../../service/own-addresses.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** What the guard needs from the service. */
export interface Guarded extends WithConfig {
  readonly ownAddresses: OwnAddresses;
}

/** For a server that an operator configured, linked or named here. The caller closes it. */
export function namedAgent(service: Guarded): Promise<GuardedAgent> {
  return agentWith(service, (target) => refusalOf(service, target, true));
}

/** For a URL in an operator's request, which may lead to private addresses only if the config allows it. */
export function sourceAgent(service: Guarded): Promise<GuardedAgent> {
  return agentWith(service, sourceCheck(service));
}

/** The same check for a literal address, before any connection. @throws 422 InvalidParameter */
export function assertSourceAllowed(service: Guarded, url: URL, field = 'source'): void {
  const host = bareHost(url);
  const refusal = isIP(host) ? sourceCheck(service)({ host, address: host, port: portOf(url) }) : undefined;
  if (refusal) throw refusedSource(refusal, field);
}

/** The answer to an operator whose URL led to a refused address. */
export function refusedSource(refusal: AddressRefusedError, field: string): ApiError {
  return new ApiError('InvalidParameter', `${field} is refused: ${refusal.message}`, {
    cause: refusal,
    errors: [{ field, code: 'NotAllowed' }],
  });
}

/** Names that mean this machine wherever they are looked up. */
export function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

/** Why connecting to the address is refused; undefined if it is allowed. `isNamed`: an operator named the host. */
export function refusalOf(
  { ownAddresses }: Pick<Guarded, 'ownAddresses'>,
  { host, address, port }: ConnectTarget,
  isNamed: boolean,
): AddressRefusedError | undefined {
  const where = host === address ? address : `${host} is at ${address}`;
  if (ownAddresses.has(address, port)) {
    return new AddressRefusedError(`${where}, where port ${port} is this service itself`);
  }
  const kind = kindOfAddress(address);
  if (kind === 'public') return undefined;
  if (kind === 'nowhere') return new AddressRefusedError(`${where}, a private address that no server can have`);
  const isAllowed = isNamed && (host === address || mayBeBehind(host, address));
  const what = kind === 'private' ? 'a private address' : `a private address (${kind})`;
  return isAllowed ? undefined : new AddressRefusedError(`${where}, ${what}, which is not allowed here`);
}

/** Whether a host name given by an operator may resolve to this address. */
function mayBeBehind(host: string, address: string): boolean {
  const plain = heldIpv4(address) ?? address;
  const kind = kindOfAddress(plain);
  if (kind === 'loopback') return isLocalhost(host);
  return kind === 'public' || kind === 'private';
}

/**
 * A request names a server for once, perhaps because somebody else wrote it: it never needs what only machines speak to,
 * such as the address at which clouds give out credentials.
 */
function sourceCheck(service: Guarded): AddressCheck {
  const { allowPrivateAddresses } = service.config.sources;
  return (target) => {
    const isSpecial = kindOfAddress(heldIpv4(target.address) ?? target.address) === 'special';
    return refusalOf(service, target, allowPrivateAddresses && !isSpecial);
  };
}

function agentWith({ config }: Guarded, check: AddressCheck): Promise<GuardedAgent> {
  return guardedAgent({ check, timeout: CONNECT_TIMEOUT_MS, insecure: config.allowInsecure });
}
