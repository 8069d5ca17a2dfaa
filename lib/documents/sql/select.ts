/**
 * List queries in SQL, made so that an index can serve them.
 *
 * A page after a cursor is split into consecutive *parts*, because objects with and without the sort field do not form
 * one range of an index. The next part is queried only if the page is not full.
 *
 * No single index serves a disjunction ("mine, or public, or shared with me"). Each branch is queried for its own first
 * page, which an index can serve, and the pages are merged.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Query } from '../store.ts';
import { type Binder, type Bound, joined, TRUE } from './bind.ts';
import type { Slot, SqlDialect } from './dialect.ts';
import { filterSql, type Ways } from './filter.ts';
import type { Layout } from './layout.ts';

/** A disjunction with more branches than this is left to the database. */
const MAX_BRANCHES = 8;

const EACH: Ways = { elements: 'each' };

interface Sort {
  readonly field: string;
  readonly order: 'asc' | 'desc';
}

interface After {
  /** Undefined if the object lacks the field, or if there is no sort. */
  readonly value: Slot | undefined;
  readonly key: Slot;
}

/** A checked list query; queries of one shape share their statements. */
export interface BoundQuery {
  readonly shape: string;
  readonly filter: Bound;
  readonly sort: Sort | undefined;
  readonly after: After | undefined;
  readonly limit: Slot | undefined;
  /** The rows to look at, few of them; absent: all. */
  readonly among?: Slot;
}

/** @throws NotIndexedError, InvalidValueError */
export function bindQuery(query: Query, binder: Binder): BoundQuery {
  const { sort, after, limit } = query;
  const spec = sort === undefined ? undefined : binder.layout.scalar(sort.field);
  const filter = query.filter === undefined ? TRUE : binder.filter(query.filter);
  const value =
    after === undefined || after.value === null || sort === undefined || spec === undefined
      ? undefined
      : binder.slot(binder.scalar(sort.field, spec, after.value));
  const boundAfter = after === undefined ? undefined : { value, key: binder.slot(after.key) };
  const boundLimit = limit === undefined ? undefined : binder.slot(limit);
  const shape = [
    filter.shape,
    sort === undefined ? '' : `${sort.field} ${sort.order}`,
    boundAfter === undefined ? '' : `${value?.at ?? 'null'},${boundAfter.key.at}`,
    boundLimit?.at ?? '',
  ].join('|');
  return { shape, filter, sort, after: boundAfter, limit: boundLimit };
}

/** The same query among some rows only, whose ids the slot has. */
export function among(query: BoundQuery, slot: Slot): BoundQuery {
  return { ...query, shape: `${query.shape}|among${slot.at}`, among: slot };
}

/** The statements that answer the query, to be run in order: rows of `id`, `etag` and possibly more. */
export function selectParts(query: BoundQuery, layout: Layout, dialect: SqlDialect): RawBuilder<unknown>[] {
  const parts = branches(query).map((branch) => toBranch(branch, query, layout));
  const [only] = parts;
  return ranges(query).map((range) => {
    if (parts.length === 1 && only !== undefined) {
      return selectBranch(sql`id, etag`, only, range, query, layout, dialect);
    }
    const sortColumn = query.sort === undefined ? sql`` : sql`, ${sql.id(layout.column(query.sort.field))}`;
    const columns = sql`id, etag, key${sortColumn}`;
    const union = sql.join(
      parts.map(
        (branch) => sql`select * from ${dialect.derived(selectBranch(columns, branch, range, query, layout, dialect))}`,
      ),
      sql` union `,
    );
    return sql`${union}${orderAndLimit(query, ownPlace(query, layout), dialect)}`;
  });
}

export function selectCount(filter: Bound, layout: Layout, dialect: SqlDialect): RawBuilder<unknown> {
  return sql`select count(*) from ${dialect.table(layout.table)}${where([dialect.wanted, condition(filter, layout, dialect)])}`;
}

/** One list of objects that an index may serve. */
interface Branch {
  readonly filter: Bound;
  /** An array field whose elements lie in the order of the query; `filter` leaves its condition out. */
  readonly elements: Extract<Bound, { kind: 'contains' }> | undefined;
  /** The other arrays are looked at one by one if the objects are found in their order without them. */
  readonly ways: Ways;
}

/**
 * Objects that contain a value are found through the array's elements if these are indexed in the order of the query,
 * unless an index on another field yields fewer objects in that order.
 */
function toBranch(filter: Bound, { sort, among }: BoundQuery, layout: Layout): Branch {
  const terms = termsOf(filter);
  if (among !== undefined) return { filter, elements: undefined, ways: EACH };
  if (sort === undefined) return { filter, elements: undefined, ways: {} };
  const found = terms.filter((term) => isFoundInOrder(term, sort, layout));
  if (found.length > 0) {
    const isSparse = found.some(({ kind }) => kind === 'exists');
    return { filter, elements: undefined, ways: isSparse ? { ...EACH, isSparse } : EACH };
  }
  const elements = terms.find((term) => term.kind === 'contains' && layout.orders(term.field).includes(sort.field));
  if (elements?.kind !== 'contains') {
    return { filter, elements: undefined, ways: {} };
  }
  return { filter: conjunction(terms.filter((term) => term !== elements)), elements, ways: EACH };
}

function isFoundInOrder(term: Bound, sort: Sort, layout: Layout): boolean {
  if (term.kind !== 'exists' && (term.kind !== 'compare' || term.by !== '=')) return false;
  const { type, few, unique, sparse } = layout.spec(term.field);
  const isSelective = term.kind === 'exists' ? sparse === true : type !== 'boolean' && few !== true;
  const { together = [] } = layout.declaration;
  return isSelective && (unique === true || together.some(([a, b]) => a === term.field && b === sort.field));
}

function selectBranch(
  columns: RawBuilder<unknown>,
  { filter, elements, ways }: Branch,
  range: Range | undefined,
  query: BoundQuery,
  layout: Layout,
  dialect: SqlDialect,
): RawBuilder<unknown> {
  const table = dialect.table(layout.table);
  if (elements === undefined || query.sort === undefined) {
    const place = ownPlace(query, layout);
    const conditions = [dialect.wanted, condition(filter, layout, dialect, ways), range?.(place)];
    const rows = query.among === undefined ? table : dialect.only(table, query.among);
    return sql`select ${columns} from ${rows}${where(conditions)}${orderAndLimit(query, place, dialect)}`;
  }
  const place = { key: sql.id('object_key'), value: sql.id(layout.orderColumn(query.sort.field)) };
  const holds = sql<boolean>`value = ${elements.slot}`;
  const conditions = [dialect.wanted, holds, condition(filter, layout, dialect, ways), range?.(place)];
  return sql`select ${columns} from ${dialect.table(layout.elements(elements.field))} join ${table} using (id)${where(conditions)}${orderAndLimit(query, place, dialect)}`;
}

/** The columns that make up an object's place in the order. */
interface Place {
  readonly key: RawBuilder<unknown>;
  /** The key again if there is no sort. */
  readonly value: RawBuilder<unknown>;
}

function ownPlace({ sort }: BoundQuery, layout: Layout): Place {
  return { key: sql.id('key'), value: sql.id(sort === undefined ? 'key' : layout.column(sort.field)) };
}

function condition(filter: Bound, layout: Layout, dialect: SqlDialect, ways?: Ways): RawBuilder<boolean> | undefined {
  return filter === TRUE ? undefined : filterSql(filter, layout, dialect, ways);
}

function where(conditions: readonly (RawBuilder<boolean> | undefined)[]): RawBuilder<unknown> {
  const given = conditions.filter((one) => one !== undefined);
  return given.length === 0 ? sql`` : sql` where ${sql.join(given, sql` and `)}`;
}

function orderAndLimit(
  { sort, limit }: BoundQuery,
  place: Place,
  dialect: Pick<SqlDialect, 'order'>,
): RawBuilder<unknown> {
  const key = dialect.order(place.key, sort?.order ?? 'asc');
  const order = sort === undefined ? key : sql`${dialect.order(place.value, sort.order)}, ${key}`;
  return limit === undefined ? sql` order by ${order}` : sql` order by ${order} limit ${limit}`;
}

/** A condition on the place of an object. */
type Range = (place: Place) => RawBuilder<boolean>;

/** What comes after the cursor, as consecutive ranges; a single undefined if there is no cursor. */
function ranges({ sort, after }: BoundQuery): (Range | undefined)[] {
  if (after === undefined) {
    return [undefined];
  }
  const { value, key } = after;
  if (sort === undefined) {
    return [(at) => sql<boolean>`${at.key} > ${key}`];
  }
  if (sort.order === 'asc') {
    return value === undefined
      ? [
          (at) => sql<boolean>`${at.value} is null and ${at.key} > ${key}`,
          (at) => sql<boolean>`${at.value} is not null`,
        ]
      : [(at) => sql<boolean>`(${at.value}, ${at.key}) > (${value}, ${key})`];
  }
  return value === undefined
    ? [(at) => sql<boolean>`${at.value} is null and ${at.key} < ${key}`]
    : [(at) => sql<boolean>`(${at.value}, ${at.key}) < (${value}, ${key})`, (at) => sql<boolean>`${at.value} is null`];
}

/** The branches of a disjunction, each combined with the other conditions of the filter. */
function branches({ filter, sort, limit }: BoundQuery): readonly Bound[] {
  const terms = termsOf(filter);
  const choice = terms.find((term) => term.kind === 'or' && term.of.length <= MAX_BRANCHES);
  if ((sort === undefined && limit === undefined) || choice?.kind !== 'or') {
    return [filter];
  }
  const others = terms.filter((term) => term !== choice);
  return choice.of.map((branch) => conjunction([...termsOf(branch), ...others]));
}

function termsOf(filter: Bound): readonly Bound[] {
  return filter.kind === 'and' ? filter.of : [filter];
}

function conjunction(terms: readonly Bound[]): Bound {
  const [only = TRUE] = terms;
  return terms.length > 1 ? joined('and', terms) : only;
}
