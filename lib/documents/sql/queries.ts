/** Queries against the tables of a bucket: SQL that is compiled once for each shape, with the values of this query. */
import { indexValue } from '../index-value.ts';
import type { Filter, Query, Scalar, Stored } from '../store.ts';
import { Binder, FALSE, TRUE } from './bind.ts';
import { among, bindQuery, selectCount, selectParts } from './select.ts';
import { type Compiled, inOrder, type Tables } from './tables.ts';

export interface BoundStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Finds part of a list, as rows that begin with `id` and `etag`. */
export interface ListPart extends BoundStatement {
  /** Positions of the row limit among the values. */
  readonly limitAt: readonly number[];
  /** Positions of the list of ids, if it is among some rows only. */
  readonly idsAt?: readonly number[];
}

/** The parts of a list, in order; none if nothing can be found. @throws NotIndexedError, InvalidValueError */
export function listParts(tables: Tables, query: Query): ListPart[] {
  return partsOf(tables, query, false);
}

/** The same among some rows only, whose ids take the place of {@link ListPart.idsAt}, as the dialect encodes lists. */
export function listPartsAmong(tables: Tables, query: Query): ListPart[] {
  return partsOf(tables, query, true);
}

function partsOf(tables: Tables, query: Query, isAmong: boolean): ListPart[] {
  const { layout, dialect } = tables;
  const binder = new Binder(layout, dialect);
  const given = bindQuery(query, binder);
  if (given.filter === FALSE) return [];
  const ids = isAmong ? binder.slot(null) : undefined;
  const bound = ids ? among(given, ids) : given;
  const parts = tables.query(bound.shape, () => selectParts(bound, layout, dialect));
  const limit = bound.limit?.at ?? -1;
  return parts.map((part) => ({
    ...boundTo(part, binder),
    limitAt: positionsOf(limit, part),
    ...(ids && { idsAt: positionsOf(ids.at, part) }),
  }));
}

function positionsOf(wanted: number, { slots }: Compiled): number[] {
  return slots.flatMap((slot, at) => (slot === wanted ? [at] : []));
}

/** Undefined if nothing can be found. @throws NotIndexedError, InvalidValueError */
export function countStatement(tables: Tables, filter: Filter | undefined): BoundStatement | undefined {
  const { layout, dialect } = tables;
  const binder = new Binder(layout, dialect);
  const bound = filter === undefined ? TRUE : binder.filter(filter);
  if (bound === FALSE) return undefined;
  const [part] = tables.query(`count ${bound.shape}`, () => [selectCount(bound, layout, dialect)]);
  return part && boundTo(part, binder);
}

function boundTo(part: Compiled, { values }: Binder): BoundStatement {
  return { sql: part.sql, values: inOrder(part, values) };
}

/** What is left of a query once the first of its objects have been read. */
export function restOf(query: Query, tables: Tables, read: readonly Stored<object>[]): Query {
  const last = read.at(-1);
  if (last === undefined) return query;
  return {
    ...query,
    after: placeIn(query, tables, last),
    ...(query.limit !== undefined && { limit: query.limit - read.length }),
  };
}

/** The place of an object in the order of a query. */
function placeIn({ sort }: Query, { layout }: Tables, { key, value }: Stored<object>): NonNullable<Query['after']> {
  if (sort === undefined) return { value: null, key };
  try {
    const found = indexValue(layout.bucket, sort.field, layout.scalar(sort.field), Reflect.get(value, sort.field));
    return { value: found as Scalar | null, key };
  } catch {
    // A value that did not fit the index when that was created is absent from it.
    return { value: null, key };
  }
}
