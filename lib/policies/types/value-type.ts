/** What a type can do. */
import { RuleError } from '../rule-error.ts';

export interface ValueType {
  readonly name: string;
  /** Each reads a value of a rule, and makes the comparison of a fact with it. @throws RuleError for a bad value */
  readonly operators: ReadonlyMap<string, (value: string) => (fact: unknown) => boolean>;
}

/**
 * A type whose values have an order.
 * @param readValue a value of a rule; undefined if it is none
 * @param readFact a fact; undefined if it is of another type
 */
export function ordered<V extends number | string>(
  name: string,
  readValue: (text: string) => V | undefined,
  readFact: (fact: unknown) => V | undefined,
): ValueType {
  const operator = (isSo: (fact: V, value: V) => boolean) => (text: string) => {
    const value = needed(readValue(text), `"${text}" is not a ${name}`);
    return (fact: unknown) => isSo(needed(readFact(fact), `what is known of this request is not a ${name}`), value);
  };
  return {
    name,
    operators: new Map([
      ['=', operator((fact, value) => fact === value)],
      ['!=', operator((fact, value) => fact !== value)],
      ['<', operator((fact, value) => fact < value)],
      ['<=', operator((fact, value) => fact <= value)],
      ['>', operator((fact, value) => fact > value)],
      ['>=', operator((fact, value) => fact >= value)],
    ]),
  };
}

/** @throws RuleError with that message if there is none */
export function needed<V>(value: V | undefined, message: string): V {
  if (value === undefined) throw new RuleError(message);
  return value;
}
