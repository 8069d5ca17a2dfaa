/** The index values of a document, by rules that all backends share. */
import { InvalidValueError } from './errors.ts';
import type { IndexSpec, IndexType, Scalar } from './store.ts';

/** The value of an indexed field; null if the document has none. */
export type IndexValue = Scalar | readonly Scalar[] | null;

/** No text index holds NUL (PostgreSQL has no such text) or half a surrogate pair (UTF-8 has no such character). */
export function isIndexableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** What a value of the type must be, worded for an error message. */
export function describeType(type: IndexType): string {
  switch (type) {
    case 'string':
      return 'a string without NUL characters or unpaired surrogates';
    case 'number':
      return 'a finite number';
    case 'boolean':
      return 'true or false';
  }
}

export function hasType(type: IndexType, value: unknown): value is Scalar {
  return type === 'number' ? Number.isFinite(value) : typeof value === type;
}

function isIndexable(type: IndexType, value: unknown): value is Scalar {
  return hasType(type, value) && (typeof value !== 'string' || isIndexableText(value));
}

/**
 * The value of an indexed field of a document; `undefined` and `null` mean that it is absent. Repeated elements of an
 * array count once.
 * @throws InvalidValueError
 */
export function indexValue(bucket: string, field: string, spec: IndexSpec, value: unknown): IndexValue {
  if (value === undefined || value === null) {
    return null;
  }
  if (spec.array !== true) {
    if (!isIndexable(spec.type, value)) {
      throw new InvalidValueError(bucket, field, describeType(spec.type));
    }
    return value;
  }
  if (!Array.isArray(value) || !value.every((element) => isIndexable(spec.type, element))) {
    throw new InvalidValueError(bucket, field, `an array in which each element is ${describeType(spec.type)}`);
  }
  return [...new Set<Scalar>(value)];
}
