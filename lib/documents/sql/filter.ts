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

export function filterSql(bound: Bound, layout: Layout, dialect: SqlDialect): RawBuilder<boolean> {
  const column = (field: string) => sql.id(layout.column(field));
  switch (bound.kind) {
    case 'const':
      return bound.value ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    case 'compare':
      return sql<boolean>`${column(bound.field)} ${sql.raw(bound.by)} ${bound.slot}`;
    case 'oneOf':
      return dialect.oneOf(column(bound.field), bound.slot, bound.spec.type);
    case 'substring':
      return dialect.substring(column(bound.field), bound.slot);
    case 'contains':
      return holds(layout, bound.field, sql<boolean>`value = ${bound.slot}`, dialect);
    case 'containsBetween': {
      const end = bound.to === undefined ? sql`` : sql` and value < ${bound.to}`;
      return holds(layout, bound.field, sql<boolean>`value >= ${bound.from}${end}`, dialect);
    }
    case 'exists':
      return sql<boolean>`${column(bound.field)} is not null`;
    case 'among':
      return dialect.oneOf(sql.id('id'), bound.slot, 'number');
    case 'and':
    case 'or':
      return sql<boolean>`(${sql.join(
        bound.of.map((part) => filterSql(part, layout, dialect)),
        sql.raw(` ${bound.kind} `),
      )})`;
    case 'not':
      return sql<boolean>`(${filterSql(bound.of, layout, dialect)}) is not true`;
  }
}

function holds(layout: Layout, field: string, element: RawBuilder<boolean>, dialect: SqlDialect): RawBuilder<boolean> {
  const each = dialect.wanted === undefined ? element : sql`${dialect.wanted} and ${element}`;
  return sql<boolean>`id in (select id from ${dialect.table(layout.elements(field))} where ${each})`;
}
