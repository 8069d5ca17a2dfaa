/** What kind of place an IP address is. The tables of ranges are ipaddr.js's. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `public`: what anybody may be sent to. All others mean something only on this machine or in its networks. */
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

/** Forms of IPv6 that hold an IPv4 address in their last 32 bits. */
const HOLD_IPV4 = new Set(['ipv4Mapped', 'rfc6145', 'rfc6052']);

/**
 * `special`: link-local, site-local, reserved, tunnelled, and every IPv6 form of an IPv4 address (mapped, compatible,
 * NAT64), whatever address that is; what is no address at all, too.
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

/** Whether both are the same address, however they are written. */
export function isSameAddress(one: string, other: string): boolean {
  const [a, b] = [canonical(one), canonical(other)];
  return a !== undefined && a === b;
}

/** Those who may be one and the same: whoever has an IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  const parsed = parse(heldIpv4(address) ?? address);
  if (parsed instanceof ipaddr.IPv6)
    return `${parsed.parts
      .slice(0, 4)
      .map((part) => part.toString(16))
      .join(':')}::/64`;
  return parsed?.toString() ?? address;
}

function canonical(address: string): string | undefined {
  return parse(heldIpv4(address) ?? address)?.toNormalizedString();
}

/** `::a.b.c.d`, but for `::` and `::1`, which have a meaning of their own. */
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
