/** The types of values that conditions compare, and which facts have which. */

import { IP } from './ip.ts';
import { BOOLEAN, NUMBER, STRING } from './plain.ts';
import { DATE, DAY, TIME } from './times.ts';
import type { ValueType } from './value-type.ts';

export const TYPES: ReadonlyMap<string, ValueType> = new Map(
  [BOOLEAN, DATE, DAY, IP, NUMBER, STRING, TIME].map((type) => [type.name, type]),
);

/** Any other fact needs its type in the rule, such as `requesttime::time`. */
const FACTS: Readonly<Record<string, string>> = {
  date: 'date',
  day: 'day',
  time: 'time',
  sourceip: 'ip',
  'user-agent': 'string',
  method: 'string',
  datacenter: 'string',
  fromjob: 'boolean',
};

export function typeOfFact(name: string): string | undefined {
  return Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
}
