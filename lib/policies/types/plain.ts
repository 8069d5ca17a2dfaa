/** Texts, numbers, and true or false. */
import { compileLiteral } from '../patterns.ts';
import { needed, ordered, type ValueType } from './value-type.ts';

const NUMBER_FORM = /^-?(\d+(\.\d+)?|0x[0-9a-f]+)$/i;

export const NUMBER: ValueType = ordered(
  'number',
  (text) => (NUMBER_FORM.test(text) ? Number(text) : undefined),
  (fact) => (typeof fact === 'number' ? fact : undefined),
);

const textOf = (fact: unknown): string | undefined => (typeof fact === 'string' ? fact : undefined);

/** `like` takes a regular expression, such as `/^triton\//i`. */
export const STRING: ValueType = {
  name: 'string',
  operators: new Map([
    ...ordered('string', (text) => text, textOf).operators,
    [
      'like',
      (text: string) => {
        const matches = compileLiteral(text);
        return (fact: unknown) => matches(needed(textOf(fact), 'what is known of this request is not a string'));
      },
    ],
  ]),
};

const BOOLEANS: Readonly<Record<string, number>> = { true: 1, false: 0 };

export const BOOLEAN: ValueType = ordered(
  'boolean',
  (text) => (Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined),
  (fact) => (typeof fact === 'boolean' ? Number(fact) : undefined),
);
