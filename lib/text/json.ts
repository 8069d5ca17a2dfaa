/**
 * Reads all JSON that comes from outside: bodies of requests and answers, and files. The value is exactly what was sent:
 * invalid UTF-8 and numbers that a double cannot hold are errors, because they would be stored as something else. A
 * byte-order mark at the beginning is ignored.
 */
import { isUtf8 } from 'node:buffer';
import { parseWithExactKeys } from './exact-keys.ts';
import { endOfString, QUOTE } from './json-strings.ts';
import { withoutEnd } from './without-end.ts';

/** Not JSON, or JSON that cannot be kept exactly. The message completes the sentence "the body is …". */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Nothing here needs deeper nesting, and it could overflow the stack when it is written as JSON again. */
const DEEPEST = 100;
const BYTE_ORDER_MARK = '\uFEFF';
const LONGEST_SHOWN = 60;

/** @throws JsonError */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(decodeUtf8(bytes));
}

/** @throws JsonError if it is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!isUtf8(buffer)) throw new JsonError(`not valid UTF-8 (at byte ${firstDifference(buffer, text)})`);
  return text;
}

/** For text that is already decoded. @throws JsonError */
export function parseJsonText(given: string): unknown {
  const text = withoutMark(given);
  // Before it is parsed: a megabyte of brackets takes the parser a quarter of a second.
  if (isDeeper(text, DEEPEST)) throw new JsonError(`nested more than ${DEEPEST} arrays and objects deep`);
  let value: unknown;
  try {
    value = parseWithExactKeys(text);
  } catch (cause) {
    throw new JsonError(`not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (MAY_LOSE.test(text) && hasInexact(text)) throwInexact(text);
  return value;
}

export function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** A double always keeps up to fifteen digits with a small exponent; only longer numbers need a closer look. */
const MAY_LOSE = /[\d.]{16}|\d[eE][+-]?\d{2}/;

/** Whether parsing changes a number in the text, which must be JSON. Takes one pass. */
function hasInexact(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || isDigit(code)) {
      const start = at;
      while (isOfNumber(text.charCodeAt(at + 1))) at += 1;
      const source = text.slice(start, at + 1);
      if (!SURELY_EXACT.test(source) && !isExact(source, Number(source))) return true;
    }
  }
  return false;
}

/** A double keeps fifteen digits and an exponent within its range exactly. */
const SURELY_EXACT = /^-?[\d.]{1,15}(?:[eE][+-]?(?:\d{1,2}|1\d\d|2[0-8]\d))?$/;

const MINUS = 0x2d;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether it is a digit, a sign, a point or an `e`; false for NaN, the code beyond the end of the text. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === MINUS || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;
}

/** Finds the number and its key. */
function throwInexact(text: string): never {
  JSON.parse(text, function check(key: string, value: unknown, context?: { readonly source?: string }) {
    const source = context?.source;
    if (typeof value === 'number' && source !== undefined && !isExact(source, value)) {
      const where = Array.isArray(this) || key === '' ? '' : `, ${JSON.stringify(cut(key))}`;
      throw new JsonError(`JSON with a number that cannot be kept exactly: ${cut(source)}${where}`);
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
  throw new JsonError('JSON with a number that cannot be kept exactly');
}

/** Whether writing the number again gives the same number. */
function isExact(source: string, value: number): boolean {
  const written = String(value);
  return Number.isFinite(value) && (written === source || canonical(source) === canonical(written));
}

/** A decimal number in the form of its significant digits and the power of ten of the last one. */
function canonical(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = withoutEnd(digits, '0');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  // Beyond what a double counts exactly, no number but 0 has such an exponent.
  return Number.isSafeInteger(power) ? `${sign}${significant}e${power}` : number;
}

function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

function cut(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** The first byte that decoding changed. */
function firstDifference(bytes: Buffer, text: string): number {
  const again = Buffer.from(text);
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at += 1;
  return at;
}
