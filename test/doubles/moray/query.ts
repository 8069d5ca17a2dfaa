/**
 * findObjects: conditions in SQL, then the limit, and then the same conditions again in JavaScript, on the object. The
 * filters are parsed and matched by the package that the server uses.
 */
import filters, { type Filter } from 'moray-filter';
import { type Column, type ColumnType, isArrayType, type Scalar, toOperand } from './columns.ts';
import { invalidQuery, MorayError, notIndexed, postgresError } from './errors.ts';
import { like } from './like.ts';
import { type MorayObject, reindexingFields, toObject } from './objects.ts';
import type { BucketConfig, MorayStorage, Row } from './storage.ts';

export interface FindOptions {
  readonly limit?: number;
  readonly offset?: number;
  readonly noLimit?: boolean;
  readonly no_count?: boolean;
  readonly sort?: SortOption | readonly SortOption[];
  readonly requireIndexes?: boolean;
  readonly requireOnlineReindexing?: boolean;
}

interface SortOption {
  readonly attribute?: string;
  readonly order?: string;
}

const INTERNAL: Readonly<Record<string, ColumnType>> = {
  _id: 'number',
  _mtime: 'number',
  _txn_snap: 'number',
  _etag: 'string',
  _key: 'string',
};
const DEFAULT_LIMIT = 1000;

/** True, false, or SQL's unknown. */
type Truth = boolean | null;
type Condition = (row: Row) => Truth;

/** @throws InvalidQueryError */
export function parseFilter(text: string): Filter {
  try {
    const filter = filters.parse(text);
    filter.forEach(({ type }) => {
      if (type === 'approx' || type === 'ext') throw new Error(`${type} filters not allowed`);
    });
    return filter;
  } catch {
    throw invalidQuery(text);
  }
}

/** The rows that the SQL of a filter matches, without a limit. @throws NotIndexedError, InvalidQueryError */
export function matchingRows(storage: MorayStorage, config: BucketConfig, filter: Filter): Row[] {
  const text = filter.toString();
  const condition = new Compiler(config, text).compile(filter);
  if (condition === undefined) throw invalidQuery(text);
  return storage.rows(config.name).filter((row) => condition(row) === true);
}

/** @throws NotIndexedError, InvalidQueryError, and what PostgreSQL says */
export function find(
  storage: MorayStorage,
  config: BucketConfig,
  filter: Filter,
  text: string,
  options: FindOptions,
): MorayObject[] {
  if (options.requireIndexes === true || options.requireOnlineReindexing === true) requireIndexes(config, filter, text);
  const matched = matchingRows(storage, config, filter);
  const count = options.no_count === true ? undefined : matched.length;
  return limited(sorted(storage, config, matched, options.sort), options)
    .map((row) => toObject(config, row, count))
    .filter((object) => filter.matches(withInternals(object)));
}

/** @throws NotIndexedError */
export function requireIndexes(config: BucketConfig, filter: Filter, text: string): void {
  const used = new Set<string>();
  filter.forEach(({ attribute }) => {
    if (attribute !== undefined && !(attribute in INTERNAL)) used.add(attribute);
  });
  const reindexing = reindexingFields(config).filter((field) => used.has(field));
  const unindexed = [...used].filter((field) => !Object.hasOwn(config.index, field));
  if (unindexed.length + reindexing.length === 0) return;
  throw notIndexed(config.name, text, { unindexedFields: unindexed, reindexingFields: reindexing });
}

export function limited<T>(rows: readonly T[], { limit = 0, offset = 0, noLimit = false }: FindOptions): T[] {
  const most = limit || (noLimit ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  return rows.slice(offset, offset + most);
}

class Compiler {
  readonly #config: BucketConfig;
  /** A filter cannot be written any more once its values have types. */
  readonly #text: string;
  readonly #unusable: ReadonlySet<string>;

  constructor(config: BucketConfig, text: string) {
    this.#config = config;
    this.#text = text;
    this.#unusable = new Set(reindexingFields(config));
  }

  /** Undefined: the condition has no part that SQL could answer. */
  compile(filter: Filter): Condition | undefined {
    switch (filter.type) {
      case 'and': {
        const parts = (filter.filters ?? []).map((part) => this.compile(part)).filter((part) => part !== undefined);
        if (parts.length === 0) throw notIndexed(this.#config.name, this.#text);
        return (row) => all(parts.map((part) => part(row)));
      }
      case 'or': {
        const parts = (filter.filters ?? []).map((part) => this.compile(part));
        if (parts.length === 0 || parts.includes(undefined)) throw notIndexed(this.#config.name, this.#text);
        return (row) => negated(all(parts.map((part) => negated(part?.(row) ?? null))));
      }
      case 'not': {
        const part = filter.filter && this.compile(filter.filter);
        return part && ((row) => negated(part(row)));
      }
      case 'present': {
        const field = filter.attribute ?? '';
        return this.#index(field) && ((row) => column(row, field) !== null);
      }
      case 'substring':
        return this.#substring(filter);
      case 'ge':
        return this.#compare(filter, (value, operand) => compare(value, operand) >= 0);
      case 'le':
        return this.#compare(filter, (value, operand) => compare(value, operand) <= 0);
      default:
        return this.#compare(filter, (value, operand) => value === operand);
    }
  }

  #index(field: string): ColumnType | undefined {
    if (this.#unusable.has(field) || !Object.hasOwn(this.#config.index, field)) return undefined;
    return this.#config.index[field]?.type;
  }

  /** Sets the filter's value to one of the column's type, which the objects are compared with afterwards. */
  #compare(filter: Filter, test: (value: Scalar, operand: Scalar) => boolean): Condition | undefined {
    const field = filter.attribute ?? '';
    const type = this.#index(field) ?? INTERNAL[field];
    if (type === undefined) return undefined;
    let operand: Scalar;
    try {
      operand = toOperand(type, String(filter.value));
    } catch {
      throw invalidQuery(this.#text);
    }
    if (typeof operand === 'string' && operand.includes('\0')) {
      throw postgresError('invalid byte sequence for encoding "UTF8": 0x00');
    }
    filter.value = operand;
    if (!isArrayType(type)) {
      return (row) => {
        const value = column(row, field);
        return value !== null && test(value as Scalar, operand);
      };
    }
    // No IS NOT NULL stands beside a comparison with an array.
    return (row) => {
      const value = column(row, field) as readonly (Scalar | null)[] | null;
      return value === null ? null : value.some((element) => element !== null && test(element, operand));
    };
  }

  #substring(filter: Filter): Condition | undefined {
    const field = filter.attribute ?? '';
    const type = this.#index(field) ?? INTERNAL[field];
    if (type === undefined) return undefined;
    if (isArrayType(type)) throw notIndexed(this.#config.name, this.#text);
    const { initial = '', any = [], final = '' } = filter;
    const pattern = [
      initial === '' ? '' : `${initial}%`,
      ...any.map((part) => `%${part}%`),
      final === '' ? '' : `%${final}%`,
    ];
    const matches = like(pattern.join(''));
    return (row) => {
      const value = column(row, field);
      return value !== null && matches(String(value));
    };
  }
}

function column(row: Row, field: string): Column {
  switch (field) {
    case '_id':
      return row.id;
    case '_mtime':
      return row.mtime;
    case '_etag':
      return row.etag;
    case '_key':
      return row.key;
    default:
      return row.columns[field.toLowerCase()] ?? null;
  }
}

function all(parts: readonly Truth[]): Truth {
  if (parts.includes(false)) return false;
  return parts.includes(null) ? null : true;
}

function negated(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

function compare(a: Scalar, b: Scalar): number {
  if (typeof a !== 'string' || typeof b !== 'string') return Number(a) - Number(b);
  // Only from surrogates on does the order of bytes differ, which costs much more.
  if (/[\ud800-\uffff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : Number(a > b);
}

/** Rows that no sort tells apart come in any order, here in that of a hash, so that nobody can rely on one. */
function sorted(
  storage: MorayStorage,
  config: BucketConfig,
  rows: readonly Row[],
  sort: FindOptions['sort'] = [],
): readonly Row[] {
  const by = [sort].flat().filter((option): option is SortOption => (option as SortOption).attribute !== undefined);
  for (const { attribute = '', order = '' } of by) {
    if (!/^(asc|desc)?$/i.test(order)) throw new MorayError('InternalError', `Invalid SQL: syntax error at "${order}"`);
    if (!(attribute in INTERNAL) && !storage.hasColumn(config.name, attribute)) {
      throw postgresError(`column "${attribute}" does not exist`);
    }
  }
  return rows.toSorted((a, b) => {
    for (const { attribute = '', order = '' } of by) {
      const difference = compareNullsLast(column(a, attribute), column(b, attribute));
      if (difference !== 0) return /^desc$/i.test(order) ? -difference : difference;
    }
    return scattered(a.id) - scattered(b.id);
  });
}

function compareNullsLast(a: Column, b: Column): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compare(a as Scalar, b as Scalar);
}

function scattered(id: number): number {
  return Math.imul(id, 0x9e3779b1) >>> 0;
}

function withInternals({ key, value, _id, _etag, _mtime, _txn_snap }: MorayObject): object {
  return { ...value, _key: key, _id, _etag, _mtime, _txn_snap };
}
