/**
 * Second half of compiling a filter: from its shape to SQL.
 *
 * One rule keeps out SQL's third truth value: a comparison with an absent field is not true, and only NOT could turn that
 * into something else, so NOT is written `is not true`.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Bound } from './bind.ts';
import type { SqlDialect } from './dialect.ts';
import type { Layout } from './layout.ts';

/**
 * How the elements of an array field are found: `all` finds the objects with an element first, which may be what finds the
 * objects at all; `each` looks for it in each object that something else has found, so that it does not matter how many have it.
 */
export type ElementsBy = 'all' | 'each';

/** What decides how a filter is written. */
export interface Ways {
  /** Default `all`. */
  readonly elements?: ElementsBy;
  /** A sparse field finds the objects: none of the fields of which many have the same value is to find them. */
  readonly isSparse?: boolean;
}

export function filterSql(bound: Bound, layout: Layout, dialect: SqlDialect, ways: Ways = {}): RawBuilder<boolean> {
  const column = (field: string) => sql.id(layout.column(field));
  const { isSparse = false } = ways;
  switch (bound.kind) {
    case 'const':
      return bound.value ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    case 'compare': {
      const { type, few } = layout.spec(bound.field);
      const isCommon = isSparse && (type === 'boolean' || few === true);
      const value = isCommon && dialect.unindexed ? dialect.unindexed(column(bound.field)) : column(bound.field);
      return sql<boolean>`${value} ${sql.raw(bound.by)} ${bound.slot}`;
    }
    case 'oneOf':
      return dialect.oneOf(column(bound.field), bound.slot, bound.spec.type);
    case 'substring':
      return dialect.substring(column(bound.field), bound.slot, bound.pieces);
    case 'contains':
      return holds(layout, bound.field, sql<boolean>`value = ${bound.slot}`, dialect, ways);
    case 'containsBetween': {
      const end = bound.to === undefined ? sql`` : sql` and value < ${bound.to}`;
      return holds(layout, bound.field, sql<boolean>`value >= ${bound.from}${end}`, dialect, ways);
    }
    case 'exists':
      return sql<boolean>`${column(bound.field)} is not null`;
    case 'and':
    case 'or':
      return sql<boolean>`(${sql.join(
        bound.of.map((part) => filterSql(part, layout, dialect, ways)),
        sql.raw(` ${bound.kind} `),
      )})`;
    case 'not':
      return sql<boolean>`(${filterSql(bound.of, layout, dialect, ways)}) is not true`;
  }
}

function holds(
  layout: Layout,
  field: string,
  element: RawBuilder<boolean>,
  dialect: SqlDialect,
  { elements: by = 'all', isSparse = false }: Ways,
): RawBuilder<boolean> {
  const elements = dialect.table(layout.elements(field));
  if (by === 'each') {
    const each = sql<boolean>`exists (select 1 from ${elements} where ${element} and id = ${dialect.table(layout.table)}.id)`;
    // Often no object has it, and then it is looked for only once.
    return isSparse ? sql<boolean>`((select 1 from ${elements} where ${element} limit 1) = 1 and ${each})` : each;
  }
  const each = dialect.wanted === undefined ? element : sql`${dialect.wanted} and ${element}`;
  return sql<boolean>`id in (select id from ${elements} where ${each})`;
}
