/**
 * List queries in SQL, made so that an index can serve them.
 *
 * A page after a cursor is cut into *parts*, one behind the other in the order, because objects without the sort field
 * are no range of an index together with those that have it. The next part is asked only if the page is not full.
 *
 * A disjunction ("mine, or public, or shared with me") has no index of its own. With a limit each branch is asked for
 * its own first page, which an index can serve, and the pages are merged.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Query } from '../store.ts';
import { type Binder, type Bound, joined, TRUE } from './bind.ts';
import type { Slot, SqlDialect } from './dialect.ts';
import { filterSql } from './filter.ts';
import type { Layout } from './layout.ts';

/** More branches than this are left to the database. */
const MAX_BRANCHES = 8;

interface Sort {
  readonly field: string;
  readonly order: 'asc' | 'desc';
}

interface After {
  /** Undefined: the object has no such field, or there is no sort. */
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
}

/** @throws NotIndexedError, InvalidValueError, RangeError */
export function bindQuery(query: Query, binder: Binder): BoundQuery {
  const { sort, after, limit } = query;
  const spec = sort === undefined ? undefined : binder.layout.scalar(sort.field);
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new RangeError(`limit must be a positive integer, not ${limit}`);
  }
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

/** The statements that answer the query, one behind the other: rows of `id`, `key`, `etag`, `mtime` and maybe more. */
export function selectParts(query: BoundQuery, layout: Layout, dialect: SqlDialect): RawBuilder<unknown>[] {
  return ranges(query, layout).map((range) => {
    const select = branches(query).map((branch) => selectBranch(branch, range, query, layout, dialect));
    const [only] = select;
    if (select.length === 1 && only !== undefined) {
      return only;
    }
    const union = sql.join(
      select.map((branch) => sql`select * from (${branch})`),
      sql` union `,
    );
    return sql`${union}${orderAndLimit(query, layout, dialect)}`;
  });
}

export function selectCount(filter: Bound, layout: Layout, dialect: SqlDialect): RawBuilder<unknown> {
  return sql`select count(*) from ${sql.id(layout.table)}${where([condition(filter, layout, dialect)])}`;
}

function selectBranch(
  filter: Bound,
  range: RawBuilder<boolean> | undefined,
  query: BoundQuery,
  layout: Layout,
  dialect: SqlDialect,
): RawBuilder<unknown> {
  const sortColumn = query.sort === undefined ? sql`` : sql`, ${sql.id(layout.column(query.sort.field))}`;
  return sql`select id, key, etag, mtime${sortColumn} from ${sql.id(layout.table)}${where([
    condition(filter, layout, dialect),
    range,
  ])}${orderAndLimit(query, layout, dialect)}`;
}

function condition(filter: Bound, layout: Layout, dialect: SqlDialect): RawBuilder<boolean> | undefined {
  return filter === TRUE ? undefined : filterSql(filter, layout, dialect);
}

function where(conditions: readonly (RawBuilder<boolean> | undefined)[]): RawBuilder<unknown> {
  const given = conditions.filter((one) => one !== undefined);
  return given.length === 0 ? sql`` : sql` where ${sql.join(given, sql` and `)}`;
}

function orderAndLimit({ sort, limit }: BoundQuery, layout: Layout, dialect: SqlDialect): RawBuilder<unknown> {
  const key = dialect.order(sql.id('key'), sort?.order ?? 'asc');
  const order = sort === undefined ? key : sql`${dialect.order(sql.id(layout.column(sort.field)), sort.order)}, ${key}`;
  return limit === undefined ? sql` order by ${order}` : sql` order by ${order} limit ${limit}`;
}

/** What comes after the cursor, as ranges that follow each other; a single undefined when there is no cursor. */
function ranges({ sort, after }: BoundQuery, layout: Layout): (RawBuilder<boolean> | undefined)[] {
  if (after === undefined) {
    return [undefined];
  }
  const { value, key } = after;
  if (sort === undefined) {
    return [sql<boolean>`key > ${key}`];
  }
  const column = sql.id(layout.column(sort.field));
  if (sort.order === 'asc') {
    return value === undefined
      ? [sql<boolean>`${column} is null and key > ${key}`, sql<boolean>`${column} is not null`]
      : [sql<boolean>`(${column}, key) > (${value}, ${key})`];
  }
  return value === undefined
    ? [sql<boolean>`${column} is null and key < ${key}`]
    : [sql<boolean>`(${column}, key) < (${value}, ${key})`, sql<boolean>`${column} is null`];
}

/** The branches of a disjunction, each together with whatever else the filter asks for. */
function branches({ filter, limit }: BoundQuery): readonly Bound[] {
  const terms = filter.kind === 'and' ? filter.of : [filter];
  const choice = terms.find((term) => term.kind === 'or' && term.of.length <= MAX_BRANCHES);
  if (limit === undefined || choice?.kind !== 'or') {
    return [filter];
  }
  const others = terms.filter((term) => term !== choice);
  return choice.of.map((branch) => (others.length === 0 ? branch : joined('and', [branch, ...others])));
}
