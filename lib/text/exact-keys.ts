/**
 * JSON.parse without a fault of V8 (nodejs/node#63785): once an object with the key `k\` was parsed, it takes other keys that
 * are written with an escape there, such as `k"` or `k\u00e9`, for `k\`. What one account names its tags would change how the
 * tags of others are read.
 */
import { endOfString } from './json-strings.ts';

/** @throws SyntaxError */
export function parseWithExactKeys(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!text.includes('\\')) return value;
  const keys = keysIn(text);
  if (!keys.some(({ source }) => source.includes('\\'))) return value;
  return parseUnderOtherNames(text, keys);
}

interface Key {
  /** With its quotes. */
  readonly source: string;
  readonly start: number;
}

/** @param text JSON, in which only keys are followed by a colon */
function keysIn(text: string): Key[] {
  const keys: Key[] = [];
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfString(text, start) + 1;
    let next = end;
    while (isSpace(text.charCodeAt(next))) next += 1;
    if (text[next] === ':') keys.push({ source: text.slice(start, end), start });
    start = text.indexOf('"', next);
  }
  return keys;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Gives all keys names without escapes, and what is parsed the right ones. */
function parseUnderOtherNames(text: string, keys: readonly Key[]): unknown {
  const prefix = absentFrom(text);
  const others = new Map<string, string>();
  const names = new Map<string, string>();
  const parts: string[] = [];
  let at = 0;
  for (const { source, start } of keys) {
    const name = String(JSON.parse(source));
    const other = others.get(name) ?? `${prefix}${others.size}`;
    others.set(name, other);
    names.set(other, name);
    parts.push(text.slice(at, start), `"${other}"`);
    at = start + source.length;
  }
  parts.push(text.slice(at));
  return renamed(JSON.parse(parts.join('')), names);
}

function absentFrom(text: string): string {
  let count = 0;
  while (text.includes(`key${count}.`)) count += 1;
  return `key${count}.`;
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([other, item]) => [names.get(other) ?? other, renamed(item, names)]),
  );
}
