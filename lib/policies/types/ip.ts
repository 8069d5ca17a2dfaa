/** Addresses, which are compared with an address or a range of them: `10.0.0.0/8`. */
import { isIP } from 'node:net';
import { addressRange } from '../../network/address-range.ts';
import { RuleError } from '../rule-error.ts';
import { needed, type ValueType } from './value-type.ts';

const operator = (isWanted: boolean) => (text: string) => {
  const range = needed(addressRange(text), `"${text}" is neither an address nor a range such as 10.0.0.0/8`);
  return (fact: unknown) => {
    if (typeof fact === 'string' && isIP(fact) !== 0) return range.has(fact) === isWanted;
    throw new RuleError('what is known of this request is not an address');
  };
};

export const IP: ValueType = {
  name: 'ip',
  operators: new Map([
    ['=', operator(true)],
    ['!=', operator(false)],
  ]),
};
