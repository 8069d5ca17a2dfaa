/** Reads the conditions of a rule: `sourceip = 10.0.0.0/8 and (day in (Sat, Sun) or not time > 18:00:00)`. */
import { type Condition, factOf } from './rule.ts';
import { RuleError } from './rule-error.ts';
import type { TokenReader } from './token-reader.ts';
import { TYPES, typeOfFact } from './types/types.ts';
import type { ValueType } from './types/value-type.ts';

/** More than anybody writes; each level takes room on the stack. */
const DEEPEST = 50;

/** @throws RuleError */
export function readConditions(tokens: TokenReader): Condition {
  // WHEN, or a synonym.
  tokens.any();
  return readOr(tokens, 0);
}

function readOr(tokens: TokenReader, depth: number): Condition {
  if (depth > DEEPEST) throw new RuleError(`its conditions are nested deeper than ${DEEPEST}`);
  const any = [readAnd(tokens, depth)];
  while (tokens.takes('or')) any.push(readAnd(tokens, depth));
  return (facts) => any.some((condition) => condition(facts));
}

function readAnd(tokens: TokenReader, depth: number): Condition {
  const all = [readNot(tokens, depth)];
  while (tokens.takes('and')) all.push(readNot(tokens, depth));
  return (facts) => all.every((condition) => condition(facts));
}

function readNot(tokens: TokenReader, depth: number): Condition {
  let isNegated = false;
  while (tokens.takes('not')) isNegated = !isNegated;
  const condition = tokens.takes('(') ? readGroup(tokens, depth) : readComparison(tokens);
  return isNegated ? (facts) => !condition(facts) : condition;
}

function readGroup(tokens: TokenReader, depth: number): Condition {
  const condition = readOr(tokens, depth + 1);
  if (!tokens.takes(')')) throw tokens.unexpected('")"');
  return condition;
}

/** `NAME[::TYPE] OPERATOR VALUE` or `NAME[::TYPE] in (VALUE, VALUE)`. */
function readComparison(tokens: TokenReader): Condition {
  const name = tokens.text('a condition');
  const type = typeNamed(name, tokens.takes('::') ? tokens.text('a type') : typeOfFact(name));
  const compare = tokens.takes('in') ? readList(tokens, type) : readOperation(tokens, type);
  return (facts) => compare(factOf(facts, name));
}

function typeNamed(name: string, type: string | undefined): ValueType {
  if (type === undefined) throw new RuleError(`"${name}" has no type of its own; write "${name}::string" or the like`);
  const known = TYPES.get(type);
  if (!known) throw new RuleError(`"${type}" is not a type; there are ${[...TYPES.keys()].join(', ')}`);
  return known;
}

type Comparison = (fact: unknown) => boolean;

function readOperation(tokens: TokenReader, type: ValueType): Comparison {
  const operator = tokens.text('an operator').toLowerCase();
  const make = type.operators.get(operator);
  if (!make) {
    const known = [...type.operators.keys()].join(' ');
    throw new RuleError(`"${operator}" is not an operator of ${type.name}; there are ${known}`);
  }
  return make(tokens.text('a value'));
}

function readList(tokens: TokenReader, { operators }: ValueType): Comparison {
  const equal = operators.get('=');
  if (!equal || !tokens.takes('(')) throw tokens.unexpected('a list in parentheses');
  const any = [equal(tokens.text('a value'))];
  while (tokens.takes(',')) any.push(equal(tokens.text('a value')));
  if (!tokens.takes(')')) throw tokens.unexpected('")"');
  return (fact) => any.some((matches) => matches(fact));
}
