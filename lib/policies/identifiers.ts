/** The names in a rule: one, a list of them in English, or all. */
import { compileLiteral, compileWildcard } from './patterns.ts';
import type { TokenReader } from './token-reader.ts';

export type Matcher = (name: string) => boolean;

const EVERYTHING: Matcher = () => true;

/**
 * `a`, `a and b`, `a, b and c`, `a, b, and c`; or `*` and its synonyms alone.
 * @param what they are, for messages
 * @throws RuleError
 */
export function readNames(tokens: TokenReader, what: string): Matcher {
  if (tokens.isAtAll) {
    tokens.any();
    return EVERYTHING;
  }
  const matchers = [readName(tokens, what)];
  for (;;) {
    const comma = tokens.takes(',');
    const and = tokens.takes('and');
    if (!comma && !and) break;
    matchers.push(readName(tokens, what));
    if (and) break;
    if (tokens.next.text !== ',' && tokens.next.text.toLowerCase() !== 'and') throw tokens.unexpected('"and"');
  }
  return (name) => matchers.some((matches) => matches(name));
}

function readName(tokens: TokenReader, what: string): Matcher {
  const { kind } = tokens.next;
  if (kind === 'regex') return compileLiteral(tokens.any().text);
  const text = tokens.text(what);
  return kind === 'word' && text.includes('*') ? compileWildcard(text) : (name) => name === text;
}
