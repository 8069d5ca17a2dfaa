/** Addresses, which are compared with an address or a range of them: `10.0.0.0/8`. */
import { BlockList, isIP } from 'node:net';
import { RuleError } from '../rule-error.ts';
import type { ValueType } from './value-type.ts';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

const MAPPED = /^::ffff:(?=\d+\.)/i;

/** @throws RuleError */
function isWithin(range: string): (fact: unknown) => boolean {
  const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(range) ?? [];
  const most = isIP(address) === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (isIP(address) === 0 || prefix > most) {
    throw new RuleError(`"${range}" is neither an address nor a range such as 10.0.0.0/8`);
  }
  const list = new BlockList();
  list.addSubnet(address, prefix, familyOf(address));
  return (fact) => {
    if (typeof fact !== 'string' || isIP(fact) === 0) {
      throw new RuleError('what is known of this request is not an address');
    }
    // An IPv4 address has two forms, and either may be in the rule.
    const plain = fact.replace(MAPPED, '');
    const forms = isIP(plain) === 4 ? [plain, `::ffff:${plain}`] : [fact];
    return forms.some((form) => list.check(form, familyOf(form)));
  };
}

export const IP: ValueType = {
  name: 'ip',
  operators: new Map([
    ['=', isWithin],
    [
      '!=',
      (range: string) => {
        const isInside = isWithin(range);
        return (fact: unknown) => !isInside(fact);
      },
    ],
  ]),
};
