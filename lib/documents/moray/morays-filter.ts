/**
 * Conditions in Moray's filter language. Moray asks them twice: SQL of the index, then JavaScript of the document, and
 * the limit of a page counts what SQL found. So a filter must be one that both understand alike, or pages come short:
 *
 * * Texts are ordered by their bytes in one and by their UTF-16 units in the other; both agree where the text that is
 *   compared with has neither surrogates nor what comes after them.
 * * Part of a text is a LIKE in one and plain text in the other; both agree where it has none of LIKE's characters.
 * * An index of an array holds no text that does not survive there, and answers no part of one.
 *
 * Where a condition cannot be asked like that, Moray is asked for more, and what it answers is looked at again here. No
 * value is ever a part of the language: the package that Moray reads filters with writes them.
 */
import filters, { type Filter } from 'moray-filter';
import type { Scalar } from '../store.ts';
import type { Condition, Test } from './condition.ts';
import { morayName } from './names.ts';
import { isSafeElement } from './value.ts';

export interface Asked {
  /** Undefined: of everything. */
  readonly filter: Filter | undefined;
  /** Whether all that Moray answers meets the condition. */
  readonly isExact: boolean;
}

const ALL: Asked = { filter: undefined, isExact: false };
/** Every object has a positive number. */
const EVERY_OBJECT = '(_id>=0)';

/** @param unsettled fields whose indexes cannot be used */
export function asked(condition: Condition, unsettled: ReadonlySet<string>): Asked {
  switch (condition.kind) {
    case 'const':
      return { filter: undefined, isExact: condition.value };
    case 'and':
      return all(condition.of.map((part) => asked(part, unsettled)));
    case 'or':
      return any(condition.of.map((part) => asked(part, unsettled)));
    case 'test':
      return unsettled.has(condition.test.field) ? ALL : askedOfField(condition.test, condition.isNegated);
  }
}

export function all(parts: readonly Asked[]): Asked {
  const of = parts.map(({ filter }) => filter).filter((filter) => filter !== undefined);
  return { filter: of.length > 0 ? and(of) : undefined, isExact: parts.every(({ isExact }) => isExact) };
}

export function any(parts: readonly Asked[]): Asked {
  const isExact = parts.every((part) => part.isExact);
  const of = parts.map(({ filter }) => filter).filter((filter) => filter !== undefined);
  return of.length < parts.length ? { filter: undefined, isExact } : { filter: or(of), isExact };
}

export function filterText({ filter }: Asked): string {
  return filter?.toString() ?? EVERY_OBJECT;
}

export function oneOfKeys(keys: readonly string[]): string {
  return or(keys.map((key) => equal('_key', key))).toString();
}

/** What comes strictly after a text in an order, or more. `attribute` is a name in Moray. */
export function beyond(attribute: string, order: 'asc' | 'desc', value: Scalar): Asked {
  if (typeof value === 'string' && !isComparable(value)) {
    if (order === 'desc') return ALL;
    const start = value.slice(0, value.search(INCOMPARABLE));
    return { filter: atLeast(attribute, start), isExact: false };
  }
  const text = String(value);
  const from = order === 'asc' ? atLeast(attribute, text) : atMost(attribute, text);
  return { filter: and([from, not(equal(attribute, text))]), isExact: true };
}

export function exactly(attribute: string, value: Scalar): Asked {
  return { filter: equal(attribute, String(value)), isExact: true };
}

export function hasField(attribute: string, isThere: boolean): Asked {
  const present = new filters.PresenceFilter({ attribute });
  return { filter: isThere ? present : not(present), isExact: true };
}

function askedOfField(test: Test, isNegated: boolean): Asked {
  const name = morayName(test.field);
  switch (test.op) {
    case 'exists':
      return hasField(name, !isNegated);
    case 'eq':
      return signed(equal(name, String(test.value)), isNegated);
    case 'substring':
      return substring(name, test.value, isNegated);
    case 'contains':
      if (typeof test.value === 'string' && !isSafeElement(test.value)) return more(name, isNegated);
      if (!isNegated) return exactly(name, test.value);
      // What is not there is unknown to SQL, which a negation does not change.
      return exact(or([not(equal(name, String(test.value))), not(new filters.PresenceFilter({ attribute: name }))]));
    case 'containsPrefix':
      return more(name, isNegated);
    default:
      if (typeof test.value === 'string' && !isComparable(test.value)) return more(name, isNegated);
      return range(name, test.op, String(test.value), isNegated);
  }
}

function range(name: string, op: 'lt' | 'le' | 'gt' | 'ge', value: string, isNegated: boolean): Asked {
  const bound = op === 'lt' || op === 'le' ? atMost(name, value) : atLeast(name, value);
  if (op === 'le' || op === 'ge') return signed(bound, isNegated);
  return exact(isNegated ? or([not(bound), equal(name, value)]) : and([bound, not(equal(name, value))]));
}

function substring(name: string, text: string, isNegated: boolean): Asked {
  const plain = text.split(/[%_\\]/);
  const longest = plain.reduce((a, b) => (b.length > a.length ? b : a));
  const isExact = plain.length === 1;
  if (longest === '') return isExact ? hasField(name, !isNegated) : more(name, isNegated);
  if (!isExact && isNegated) return ALL;
  const part = new filters.SubstringFilter({ attribute: name, any: [longest] });
  return { filter: isNegated ? not(part) : part, isExact };
}

/** What has the field at all; where that is negated, it may be anything. */
function more(name: string, isNegated: boolean): Asked {
  return isNegated ? ALL : { ...hasField(name, true), isExact: false };
}

function signed(filter: Filter, isNegated: boolean): Asked {
  return exact(isNegated ? not(filter) : filter);
}

function exact(filter: Filter): Asked {
  return { filter, isExact: true };
}

/** Units of UTF-16 whose order is not that of the bytes, and what no filter may have. */
const INCOMPARABLE = /[\0\ud800-\uffff]/;

function isComparable(text: string): boolean {
  return !INCOMPARABLE.test(text);
}

function equal(attribute: string, value: string): Filter {
  return new filters.EqualityFilter({ attribute, value });
}

function atLeast(attribute: string, value: string): Filter {
  return new filters.GreaterThanEqualsFilter({ attribute, value });
}

function atMost(attribute: string, value: string): Filter {
  return new filters.LessThanEqualsFilter({ attribute, value });
}

function not(filter: Filter): Filter {
  return new filters.NotFilter({ filter });
}

function and(of: readonly Filter[]): Filter {
  const [first] = of;
  return of.length === 1 && first ? first : new filters.AndFilter({ filters: of });
}

function or(of: readonly Filter[]): Filter {
  const [first] = of;
  return of.length === 1 && first ? first : new filters.OrFilter({ filters: of });
}
