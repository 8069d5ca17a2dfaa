/**
 * What the query planner is told about a bucket.
 *
 * SQLite can count its rows (ANALYZE), but counts taken while a table is small lead to bad plans once it has grown, and
 * plans that change with the data cannot be tested. So the planner gets invented counts of a large bucket, made from
 * the declaration: a flag halves the objects, a field with few distinct values divides them by four, and any other
 * field nearly identifies its object. Those that have a sparse field are few.
 */
import type { Declaration } from '../declaration.ts';
import type { IndexPlan } from '../sql/dialect.ts';
import type { IndexSpec } from '../store.ts';

const ROWS = 1_000_000;
/** Of which so many have a sparse field. */
const SPARSE = 1000;

type RowsPlan = Extract<IndexPlan['of'], { readonly kind: 'rows' }>;

function different({ type, few, unique }: IndexSpec): number {
  if (unique === true) {
    return ROWS;
  }
  return type === 'boolean' ? 2 : few === true ? 4 : 10_000;
}

/** A row of sqlite_stat1: all rows, then rows that agree in 1, 2, … columns of the index. */
export function statisticsOf({ of }: IndexPlan, declaration: Declaration): string {
  if (of.kind === 'rows') return indexStatistics(declaration, of);
  if (of.order !== undefined) return orderedElementStatistics(declaration, of.field, of.order);
  const spec = declaration.index[of.field];
  return spec === undefined ? String(ROWS) : elementStatistics(spec);
}

function indexStatistics({ index }: Declaration, { fields, hasKey, having }: RowsPlan): string {
  const all = having === undefined ? ROWS : SPARSE;
  let rows = all;
  const agreeing = fields.map((field) => {
    const spec = index[field];
    rows = spec === undefined ? rows : Math.max(1, Math.round(rows / different(spec)));
    return rows;
  });
  return [all, ...agreeing, ...(hasKey ? [1] : [])].join(' ');
}

/** The same for the elements of an array field in the order of a scalar: the value, the scalar, then the key. */
function orderedElementStatistics({ index }: Declaration, field: string, scalar: string): string {
  const [spec, order] = [index[field], index[scalar]];
  const holding = spec === undefined ? ROWS : Math.max(1, ROWS / different(spec));
  const tied = order === undefined ? holding : Math.max(1, Math.round(holding / different(order)));
  return [ROWS, holding, tied, 1].join(' ');
}

/** The same for the elements of an array field: the value, then the object. */
function elementStatistics(spec: IndexSpec): string {
  return [ROWS, Math.max(1, ROWS / different(spec)), 1].join(' ');
}
