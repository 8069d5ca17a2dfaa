/** Ranges of addresses: `10.0.0.0/8`, or one address. */
import { BlockList, isIP } from 'node:net';

export interface AddressRange {
  /** Whether it holds an address. An IPv4 address and its IPv6 form (`::ffff:10.1.2.3`) are one. */
  has(address: string): boolean;
}

const MAPPED = /^::ffff:(?=\d+\.)/i;

/** Undefined if the text is neither an address nor a range. */
export function addressRange(text: string): AddressRange | undefined {
  const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const most = isIP(address) === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (isIP(address) === 0 || prefix > most) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, familyOf(address));
  return {
    has(other) {
      const plain = other.replace(MAPPED, '');
      const forms = isIP(plain) === 4 ? [plain, `::ffff:${plain}`] : [other];
      return forms.some((form) => isIP(form) !== 0 && list.check(form, familyOf(form)));
    },
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
