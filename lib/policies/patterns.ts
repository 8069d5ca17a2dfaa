/**
 * Regular expressions that accounts write. They run on RE2, which takes time in proportion to the text, so that none of
 * them can keep the process busy.
 */
import { RE2JS } from 're2js';
import { RuleError } from './rule-error.ts';

const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
};

/** @param literal such as `/a.*b/i`; it matches anywhere. @throws RuleError */
export function compileLiteral(literal: string): (text: string) => boolean {
  const [, body, flags = ''] = /^\/(.+)\/([a-z]*)$/is.exec(literal) ?? [];
  if (body === undefined) throw new RuleError(`"${literal}" is not a regular expression such as /a.*b/i`);
  const known = [...flags].map((flag) => {
    const value = FLAGS[flag];
    if (value === undefined) throw new RuleError(`the regular expression ${literal} has the unknown flag "${flag}"`);
    return value;
  });
  const pattern = compile(
    body,
    known.reduce((all, flag) => all | flag, 0),
    literal,
  );
  return (text) => pattern.test(text);
}

/** `*` stands for any text, `\*` for a star; the whole text must match. @throws RuleError */
export function compileWildcard(text: string): (text: string) => boolean {
  const parts = text.split(/(\\\*|\*)/).map((part) => (part === '*' ? '.*' : RE2JS.quote(part === '\\*' ? '*' : part)));
  const pattern = compile(parts.join(''), RE2JS.DOTALL, text);
  return (name) => pattern.testExact(name);
}

function compile(body: string, flags: number, shown: string): RE2JS {
  try {
    return RE2JS.compile(body, flags);
  } catch (cause) {
    throw new RuleError(`${shown} is not a regular expression: ${(cause as Error).message}`, { cause });
  }
}
