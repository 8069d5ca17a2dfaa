/** How a server turns values into index columns and columns back into values: PostgreSQL's texts, arrays and limits. */
import { MorayError, postgresError } from './errors.ts';

export type ColumnType = 'string' | 'number' | 'boolean' | 'date' | '[string]' | '[number]' | '[boolean]';
export type Scalar = string | number | boolean;
export type Column = Scalar | readonly (Scalar | null)[] | null;

const TYPES: ReadonlySet<string> = new Set([
  'string',
  'number',
  'boolean',
  'date',
  '[string]',
  '[number]',
  '[boolean]',
]);
const LONGEST_VALUE = 8191;
/** What PostgreSQL takes for space in an array. */
const SPACE = /[ \t\n\v\f\r]/;
const SPACES_AROUND = /^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g;

export function isColumnType(type: unknown): type is ColumnType {
  return typeof type === 'string' && TYPES.has(type);
}

export function isArrayType(type: ColumnType): boolean {
  return type.startsWith('[');
}

/** The column of an indexed field. @throws InvalidIndexTypeError, or what PostgreSQL says */
export function toColumn(field: string, type: ColumnType, value: unknown): Column {
  if (value === undefined || value === null) return null;
  if (!isArrayType(type)) return stored(scalarText(field, type, value), type);
  const element = type.slice(1, -1) as ColumnType;
  const elements = (Array.isArray(value) ? value : [value]).map((one) => elementText(field, element, one));
  return parseArray(`{${elements.join(', ')}}`).map((text) =>
    text === null ? null : (stored(text, element) as Scalar),
  );
}

/** The value of a filter as the comparison in SQL takes it. @throws Error when it is none of the type */
export function toOperand(type: ColumnType, text: string): Scalar {
  switch (type) {
    case 'number':
    case '[number]':
      return Number.parseFloat(text);
    case 'boolean':
    case '[boolean]':
      if (!/^(true|false)$/i.test(text)) throw new Error(`invalid boolean: "${text}"`);
      return text.toLowerCase() === 'true';
    case 'date':
      return isoDate(text);
    default:
      return asUtf8(text);
  }
}

/** Halves of surrogate pairs do not survive UTF-8. */
export function asUtf8(text: string): string {
  return text.toWellFormed();
}

function scalarText(field: string, type: ColumnType, value: unknown): string {
  switch (type) {
    case 'number':
      return String(typeof value === 'number' ? value : Number.parseFloat(String(value)));
    case 'boolean':
      if (/^(true|false)$/i.test(String(value))) return String(value);
      throw invalidType(field, type);
    case 'date':
      try {
        return isoDate(String(value));
      } catch {
        throw invalidType(field, type);
      }
    default:
      return String(value);
  }
}

function invalidType(field: string, type: ColumnType): MorayError {
  return new MorayError('InvalidIndexTypeError', `index(${field}) is of type ${type}`, { field, type });
}

function isoDate(text: string): string {
  if (!/^\d+-\d+-\d+T\d+:\d+:\d+(?:.\d+)?Z$/.test(text)) throw new Error(`invalid ISO 8601 timestamp: "${text}"`);
  return new Date(text).toISOString();
}

/** Only these characters make the server quote an element; spaces and the word null do not. */
function elementText(field: string, type: ColumnType, value: unknown): string {
  const text = scalarText(field, type, value);
  return /[",{}\\]/.test(text) ? `"${text.replaceAll(/(["\\,{}])/g, '\\$1')}"` : text;
}

function stored(text: string, type: ColumnType): Column {
  if (text.includes('\0')) throw postgresError('invalid byte sequence for encoding "UTF8": 0x00');
  if (type === 'number') {
    const number = Number(text);
    return Number.isNaN(number) ? null : number;
  }
  if (type === 'boolean') return text.toLowerCase() === 'true';
  const whole = asUtf8(text);
  const bytes = Buffer.byteLength(whole);
  if (bytes > LONGEST_VALUE) throw postgresError(`index row requires ${bytes} bytes, maximum size is ${LONGEST_VALUE}`);
  return whole;
}

/** PostgreSQL's text form of an array of one dimension. */
function parseArray(literal: string): (string | null)[] {
  const inner = literal.slice(1, -1);
  if (inner.replaceAll(SPACES_AROUND, '') === '') return [];
  const elements: (string | null)[] = [];
  let at = 0;
  for (;;) {
    while (SPACE.test(inner[at] ?? '')) at += 1;
    const isQuoted = inner[at] === '"';
    let text = '';
    if (isQuoted) {
      for (at += 1; inner[at] !== '"'; at += 1) {
        if (inner[at] === '\\') at += 1;
        text += inner[at];
      }
      at += 1;
      while (SPACE.test(inner[at] ?? '')) at += 1;
    } else {
      const end = inner.indexOf(',', at);
      text = inner.slice(at, end === -1 ? undefined : end).replaceAll(SPACES_AROUND, '');
      at = end === -1 ? inner.length : end;
      if (text === '') throw postgresError(`malformed array literal: "${literal}"`);
    }
    elements.push(!isQuoted && /^null$/i.test(text) ? null : text);
    if (at >= inner.length) return elements;
    at += 1;
  }
}
