/** What kind of address an IP address is. The tables of ranges are ipaddr.js's. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `public`: reachable from anywhere. All others mean something only on this machine or in its networks. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'nowhere' | 'special';

const KINDS: Readonly<Record<string, AddressKind>> = {
  unicast: 'public',
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'private',
  unspecified: 'nowhere',
  broadcast: 'nowhere',
  multicast: 'nowhere',
};

/** IPv6 ranges that hold an IPv4 address in their last 32 bits. */
const HOLD_IPV4 = new Set(['ipv4Mapped', 'rfc6145', 'rfc6052']);

/**
 * `special` covers link-local, site-local, reserved and tunnelled addresses, every IPv6 form of an IPv4 address (mapped,
 * compatible, NAT64), and texts that are not addresses.
 */
export function kindOfAddress(address: string): AddressKind {
  const parsed = parse(address);
  if (!parsed || isCompatible(parsed)) return 'special';
  return KINDS[parsed.range()] ?? 'special';
}

/** The IPv4 address that an IPv6 form of one leads to; undefined for any other address. */
export function heldIpv4(address: string): string | undefined {
  const parsed = parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return undefined;
  const bytes = parsed.toByteArray();
  if (HOLD_IPV4.has(parsed.range()) || isCompatible(parsed)) return bytes.slice(-4).join('.');
  return parsed.range() === '6to4' ? bytes.slice(2, 6).join('.') : undefined;
}

/** Whether both texts mean the same address. */
export function isSameAddress(one: string, other: string): boolean {
  const [a, b] = [canonical(one), canonical(other)];
  return a !== undefined && a === b;
}

/** Identifies a client for limits: an IPv6 address counts by its /64, because its holder has all 2^64 addresses of it. */
export function networkOf(address: string): string {
  const parsed = parse(heldIpv4(address) ?? address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed?.toString() ?? address;
  const prefix = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(':')}::/64`;
}

function canonical(address: string): string | undefined {
  return parse(heldIpv4(address) ?? address)?.toNormalizedString();
}

/** `::a.b.c.d`, except `::` and `::1`, which have meanings of their own. */
function isCompatible(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (!(address instanceof ipaddr.IPv6)) return false;
  const { parts } = address;
  const isSmall = parts.slice(0, 6).every((part) => part === 0);
  return isSmall && !['loopback', 'unspecified'].includes(address.range());
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // The zone of a link-local address says nothing about its kind.
  const [bare = ''] = address.split('%', 1);
  return isIP(bare) === 0 ? undefined : ipaddr.parse(bare);
}
