/**
 * The one reader of JSON that came from outside: bodies of requests and answers, and files. What it answers is what was
 * sent: text that is no UTF-8 and numbers that a double cannot hold are errors, for they would be stored as something
 * else. A byte-order mark at the beginning means nothing, and is taken from everybody.
 */
import { isUtf8 } from 'node:buffer';

/** Not JSON, or none that can be kept as it is. The message completes the sentence "the body is …". */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** What nests deeper is nothing that is used here, and would overflow the stack of whoever writes it as JSON again. */
const DEEPEST = 100;
const BYTE_ORDER_MARK = '\uFEFF';
const LONGEST_SHOWN = 60;

/** @throws JsonError */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(decodeUtf8(bytes));
}

/** @throws JsonError when it is no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!isUtf8(buffer)) throw new JsonError(`not valid UTF-8 (at byte ${firstDifference(buffer, text)})`);
  return text;
}

/** For text that was decoded already. @throws JsonError */
export function parseJsonText(given: string): unknown {
  const text = withoutMark(given);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonError(`not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (isDeeper(value, DEEPEST)) throw new JsonError(`nested more than ${DEEPEST} arrays and objects deep`);
  if (MAY_LOSE.test(text)) assertExact(text);
  return value;
}

export function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Up to fifteen digits, and no great exponent, always come out as they went in. */
const MAY_LOSE = /[\d.]{16}|\d[eE][+-]?\d{2}/;

function assertExact(text: string): void {
  JSON.parse(text, function check(key: string, value: unknown, context?: { readonly source?: string }) {
    const source = context?.source;
    if (typeof value === 'number' && source !== undefined && !isExact(source, value)) {
      const where = Array.isArray(this) || key === '' ? '' : `, ${JSON.stringify(cut(key))}`;
      throw new JsonError(`JSON with a number that cannot be kept exactly: ${cut(source)}${where}`);
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
}

/** Whether writing the number again gives the same number. */
function isExact(source: string, value: number): boolean {
  return Number.isFinite(value) && canonical(source) === canonical(String(value));
}

/** A decimal number as its significant digits and the power of ten of the last of them. */
function canonical(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
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
