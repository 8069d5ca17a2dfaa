/** Reads a rule. */
import { type Matcher, readNames } from './identifiers.ts';
import { readConditions } from './read-conditions.ts';
import type { Rule } from './rule.ts';
import { TokenReader } from './token-reader.ts';
import { tokensOf } from './tokens.ts';

/** `[WHO] CAN ACTIONS [RESOURCES] [WHEN CONDITIONS]`. @throws RuleError */
export function parseRule(text: string): Rule {
  const tokens = new TokenReader(tokensOf(text));
  const isForAll = readWho(tokens);
  const allowsAction = readNames(tokens, 'an action');
  const hasResource = !tokens.isAtEnd && !tokens.isAtConditions;
  const allowsResource: Matcher | undefined = hasResource ? readNames(tokens, 'a resource') : undefined;
  const condition = tokens.isAtConditions ? readConditions(tokens) : undefined;
  if (!tokens.isAtEnd) throw tokens.unexpected('the end');
  return { isForAll, allowsAction, allowsResource, condition };
}

/** Returns whether it is for everybody. */
function readWho(tokens: TokenReader): boolean {
  if (tokens.takes('can')) return true;
  const isForAll = tokens.isAtAll;
  readNames(tokens, '"CAN"');
  if (!tokens.takes('can')) throw tokens.unexpected('"CAN"');
  return isForAll;
}
