/**
 * Filters, checked against the indexes and in a form without negations but of single tests: Moray's own leave out what
 * has no array where they negate a test of one. A condition can be asked of a document too, because not every one can be
 * asked of Moray to the letter.
 */
import { InvalidValueError } from '../errors.ts';
import { describeType, hasType, isIndexableText } from '../index-value.ts';
import type { Filter, IndexSpec, Scalar } from '../store.ts';
import type { Layout } from './layout.ts';

/** A filter on one field. */
export type Test = Exclude<Filter, { readonly op: 'and' | 'or' | 'not' | 'in' }>;

export type Condition =
  | { readonly kind: 'const'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly kind: 'test'; readonly test: Test; readonly isNegated: boolean };

export const EVERYTHING: Condition = { kind: 'const', value: true };
const NOTHING: Condition = { kind: 'const', value: false };

/** @throws NotIndexedError, InvalidValueError */
export function conditionOf(layout: Layout, filter: Filter, isNegated = false): Condition {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const parts = filter.of.map((part) => conditionOf(layout, part, isNegated));
      return (filter.op === 'and') !== isNegated ? every(parts) : some(parts);
    }
    case 'not':
      return conditionOf(layout, filter.of, !isNegated);
    case 'in': {
      layout.scalar(filter.field);
      const tests = filter.values.map((value): Filter => ({ op: 'eq', field: filter.field, value }));
      return conditionOf(layout, { op: 'or', of: tests }, isNegated);
    }
    default:
      return isPossible(layout, filter) ? { kind: 'test', test: filter, isNegated } : constant(isNegated);
  }
}

function every(parts: readonly Condition[]): Condition {
  const of = parts.filter((part) => part.kind !== 'const' || !part.value);
  if (of.some(({ kind }) => kind === 'const')) return NOTHING;
  return joined('and', of, EVERYTHING);
}

function some(parts: readonly Condition[]): Condition {
  const of = parts.filter((part) => part.kind !== 'const' || part.value);
  if (of.some(({ kind }) => kind === 'const')) return EVERYTHING;
  return joined('or', of, NOTHING);
}

/** Whether a document meets a condition. */
export function holds(condition: Condition, document: object): boolean {
  switch (condition.kind) {
    case 'const':
      return condition.value;
    case 'and':
      return condition.of.every((part) => holds(part, document));
    case 'or':
      return condition.of.some((part) => holds(part, document));
    case 'test':
      return passes(condition.test, fieldValue(document, condition.test.field)) !== condition.isNegated;
  }
}

/** Whether all that meets the condition has the field, or none of it; undefined if both are possible. */
export function presenceIn(condition: Condition, field: string): boolean | undefined {
  switch (condition.kind) {
    case 'const':
      return undefined;
    case 'and':
      return condition.of.map((part) => presenceIn(part, field)).find((presence) => presence !== undefined);
    case 'or': {
      const [first, ...others] = condition.of.map((part) => presenceIn(part, field));
      return others.every((other) => other === first) ? first : undefined;
    }
    case 'test': {
      const { test, isNegated } = condition;
      if (test.field !== field || (isNegated && test.op !== 'exists')) return undefined;
      return !isNegated;
    }
  }
}

/** The value of an indexed field; undefined where the document has none. */
export function fieldValue(document: object, field: string): unknown {
  const value: unknown = Object.hasOwn(document, field) ? Reflect.get(document, field) : undefined;
  return value ?? undefined;
}

/** The order of values in all engines; nothing comes before everything. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

function constant(value: boolean): Condition {
  return value ? EVERYTHING : NOTHING;
}

function joined(kind: 'and' | 'or', of: readonly Condition[], none: Condition): Condition {
  const [first] = of;
  return of.length > 1 || first === undefined ? (first === undefined ? none : { kind, of }) : first;
}

/** Whether any document could pass. @throws NotIndexedError, InvalidValueError */
function isPossible(layout: Layout, test: Test): boolean {
  const { field } = test;
  switch (test.op) {
    case 'exists':
      layout.spec(field);
      return true;
    case 'eq':
      return isSearchable(layout, field, layout.scalar(field), test.value);
    case 'contains':
      return isSearchable(layout, field, layout.array(field), test.value);
    case 'substring':
    case 'containsPrefix': {
      const spec = test.op === 'substring' ? layout.scalar(field) : layout.array(field);
      if (spec.type !== 'string') layout.refuse(field);
      return isSearchable(layout, field, spec, test.value);
    }
    default: {
      const spec = layout.scalar(field);
      if (spec.type === 'boolean') layout.refuse(field);
      if (!isSearchable(layout, field, spec, test.value)) throw wrongType(layout, field, spec);
      return true;
    }
  }
}

/** What no index can hold cannot be found either. @throws InvalidValueError */
function isSearchable(layout: Layout, field: string, spec: IndexSpec, value: Scalar): boolean {
  if (!hasType(spec.type, value)) throw wrongType(layout, field, spec);
  return typeof value !== 'string' || isIndexableText(value);
}

function wrongType(layout: Layout, field: string, { type }: IndexSpec): InvalidValueError {
  return new InvalidValueError(layout.name, field, describeType(type));
}

function passes(test: Test, value: unknown): boolean {
  if (value === undefined) return false;
  switch (test.op) {
    case 'exists':
      return true;
    case 'eq':
      return value === test.value;
    case 'contains':
      return Array.isArray(value) && value.includes(test.value);
    case 'containsPrefix':
      return Array.isArray(value) && value.some((one) => typeof one === 'string' && one.startsWith(test.value));
    case 'substring':
      return typeof value === 'string' && value.includes(test.value);
    case 'lt':
      return compareValues(value, test.value) < 0;
    case 'le':
      return compareValues(value, test.value) <= 0;
    case 'gt':
      return compareValues(value, test.value) > 0;
    case 'ge':
      return compareValues(value, test.value) >= 0;
  }
}
