/**
 * First half of compiling a filter: checks it against the indexes and separates its *shape* from its *values*. Filters of
 * the same shape share one prepared statement. This half runs for every query, so it does little.
 */
import { InvalidValueError, NotIndexedError } from '../errors.ts';
import { describeType, hasType, isIndexableText } from '../index-value.ts';
import type { Filter, IndexSpec, Scalar } from '../store.ts';
import { Slot, type SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** A checked filter whose values are slots. Filters that compile differently have different `shape`s. */
export type Bound = { readonly shape: string } & (
  | { readonly kind: 'const'; readonly value: boolean }
  | { readonly kind: 'compare'; readonly field: string; readonly by: Comparison; readonly slot: Slot }
  | { readonly kind: 'oneOf'; readonly field: string; readonly spec: IndexSpec; readonly slot: Slot }
  | { readonly kind: 'substring'; readonly field: string; readonly slot: Slot; readonly pieces: Slot | undefined }
  | { readonly kind: 'contains'; readonly field: string; readonly slot: Slot }
  | { readonly kind: 'containsBetween'; readonly field: string; readonly from: Slot; readonly to: Slot | undefined }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Bound[] }
  | { readonly kind: 'not'; readonly of: Bound }
);

export const TRUE: Bound = { kind: 'const', value: true, shape: '1' };
export const FALSE: Bound = { kind: 'const', value: false, shape: '0' };

const COMPARISONS = { eq: '=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

export class Binder {
  readonly layout: Layout;
  readonly dialect: SqlDialect;
  /** The values of the slots. */
  readonly values: unknown[] = [];

  constructor(layout: Layout, dialect: SqlDialect) {
    this.layout = layout;
    this.dialect = dialect;
  }

  slot(encoded: unknown): Slot {
    return new Slot(this.values.push(encoded) - 1);
  }

  /** @throws NotIndexedError, InvalidValueError */
  filter(filter: Filter): Bound {
    switch (filter.op) {
      case 'eq':
        return this.#eq(filter.field, filter.value);
      case 'in':
        return this.#in(filter.field, filter.values);
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
        return this.#range(filter.field, COMPARISONS[filter.op], filter.value);
      case 'substring':
        return this.#substring(filter.field, filter.value);
      case 'contains':
        return this.#contains(filter.field, filter.value);
      case 'containsPrefix':
        return this.#containsPrefix(filter.field, filter.value);
      case 'exists':
        this.layout.spec(filter.field);
        return { kind: 'exists', field: filter.field, shape: `?${filter.field}` };
      case 'and':
        return this.#join('and', filter.of, TRUE, FALSE);
      case 'or':
        return this.#join('or', filter.of, FALSE, TRUE);
      case 'not': {
        const of = this.filter(filter.of);
        return of.kind === 'const' ? (of.value ? FALSE : TRUE) : { kind: 'not', of, shape: `!(${of.shape})` };
      }
    }
  }

  /** A value to compare an index with. */
  scalar(field: string, spec: IndexSpec, value: Scalar): unknown {
    if (!hasType(spec.type, value)) {
      throw new InvalidValueError(this.layout.bucket, field, describeType(spec.type));
    }
    return this.dialect.encode(value);
  }

  #eq(field: string, value: Scalar): Bound {
    const slot = this.slot(this.scalar(field, this.layout.scalar(field), value));
    return isSearchable(value) ? compare(field, '=', slot) : FALSE;
  }

  #in(field: string, values: readonly Scalar[]): Bound {
    const spec = this.layout.scalar(field);
    for (const value of values) {
      this.scalar(field, spec, value);
    }
    const searchable = values.filter(isSearchable);
    const [first] = searchable;
    if (first === undefined) {
      return FALSE;
    }
    if (searchable.length === 1) {
      return this.#eq(field, first);
    }
    const slot = this.slot(this.dialect.encodeList(searchable));
    return { kind: 'oneOf', field, spec, slot, shape: `@${field}:${slot.at}` };
  }

  #range(field: string, by: Comparison, value: Scalar): Bound {
    const spec = this.layout.scalar(field);
    if (spec.type === 'boolean') {
      throw new NotIndexedError(this.layout.bucket, field);
    }
    if (!isSearchable(value)) {
      throw new InvalidValueError(this.layout.bucket, field, describeType(spec.type));
    }
    return compare(field, by, this.slot(this.scalar(field, spec, value)));
  }

  #substring(field: string, value: string): Bound {
    this.#text(field, this.layout.scalar(field));
    if (!isSearchable(value)) {
      return FALSE;
    }
    const slot = this.slot(this.dialect.encodePart(value));
    const known = this.layout.spec(field).substrings === true ? this.dialect.piecesOf?.(value) : undefined;
    const pieces = known === undefined ? undefined : this.slot(known);
    return { kind: 'substring', field, slot, pieces, shape: `~${field}:${slot.at},${pieces?.at ?? ''}` };
  }

  #contains(field: string, value: Scalar): Bound {
    const slot = this.slot(this.scalar(field, this.#array(field), value));
    return isSearchable(value) ? { kind: 'contains', field, slot, shape: `[${field}:${slot.at}` } : FALSE;
  }

  #containsPrefix(field: string, value: string): Bound {
    this.#text(field, this.#array(field));
    if (!isSearchable(value)) {
      return FALSE;
    }
    const end = afterPrefix(value);
    const from = this.slot(value);
    const to = end === undefined ? undefined : this.slot(end);
    return { kind: 'containsBetween', field, from, to, shape: `[${field}:${from.at}-${to?.at ?? ''}` };
  }

  #array(field: string): IndexSpec {
    const spec = this.layout.spec(field);
    if (spec.array !== true) {
      throw new NotIndexedError(this.layout.bucket, field);
    }
    return spec;
  }

  #text(field: string, spec: IndexSpec): void {
    if (spec.type !== 'string') {
      throw new NotIndexedError(this.layout.bucket, field);
    }
  }

  #join(kind: 'and' | 'or', filters: readonly Filter[], neutral: Bound, absorbing: Bound): Bound {
    const of: Bound[] = [];
    for (const filter of filters) {
      const part = this.filter(filter);
      if (part.kind === kind) {
        of.push(...part.of);
      } else if (part !== neutral) {
        of.push(part);
      }
    }
    if (of.includes(absorbing)) {
      return absorbing;
    }
    return of.length > 1 ? joined(kind, of) : (of[0] ?? neutral);
  }
}

/** The conjunction or disjunction of at least one filter. */
export function joined(kind: 'and' | 'or', of: readonly Bound[]): Bound {
  return { kind, of, shape: `${kind}(${of.map((part) => part.shape).join()})` };
}

function compare(field: string, by: Comparison, slot: Slot): Bound {
  return { kind: 'compare', field, by, slot, shape: `${field}${by}${slot.at}` };
}

/** What no index can hold cannot be found either: such a query is valid, with an empty answer. */
function isSearchable(value: Scalar): boolean {
  return typeof value !== 'string' || isIndexableText(value);
}

/**
 * The smallest text that sorts after every text beginning with `prefix`, by UTF-8 bytes (which is the order of code
 * points); undefined if there is none.
 */
function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) {
      // Surrogates are not characters: after U+D7FF comes U+E000.
      const next = last === 0xd7ff ? 0xe000 : last + 1;
      return String.fromCodePoint(...points, next);
    }
  }
  return undefined;
}
