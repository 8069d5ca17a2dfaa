/** The words of a rule. */
import { RuleError } from './rule-error.ts';

export interface Token {
  /** `quoted` and `regex` are never keywords. A `regex` is the literal, such as `/a.*b/i`. */
  readonly kind: 'word' | 'quoted' | 'regex' | 'sign' | 'end';
  readonly text: string;
}

/** Longer than any rule that a person writes. */
const LONGEST_RULE = 4096;

const SPACE = /\s+/y;
const REGEX = /(\/(?:[^\n\r\\/[]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+\/[a-z]*)::regexp?(?![^\s,()])/iy;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
const SIGN = /::|[,()]/y;
const WORD = /(?!")(?:[^\s,():]|:(?!:))+/y;

/** @throws RuleError */
export function tokensOf(rule: string): readonly Token[] {
  if (rule.length > LONGEST_RULE) throw new RuleError(`it is longer than ${LONGEST_RULE} characters`);
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(rule);
    if (found) at = pattern.lastIndex;
    return found;
  };
  while (at < rule.length) {
    if (take(SPACE)) continue;
    const before = at;
    const [, regex] = take(REGEX) ?? [];
    if (regex !== undefined) {
      tokens.push({ kind: 'regex', text: regex });
      continue;
    }
    const [quoted] = take(QUOTED) ?? [];
    const [sign] = quoted === undefined ? (take(SIGN) ?? []) : [];
    const [word] = quoted === undefined && sign === undefined ? (take(WORD) ?? []) : [];
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: unquoted(quoted) });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    if (at === before) throw new RuleError(`it cannot be read from "${rule.slice(at, at + 20)}" on`);
  }
  return tokens;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw new RuleError(`${text} is not a text in quotes`);
  }
}
