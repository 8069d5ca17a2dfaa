/** Whether a write can have changed the answer to a query: by the values of the row before and after, on the safe side. */
import type { Layout } from '../sql/layout.ts';
import type { Filter, Scalar } from '../store.ts';
import type { RowValues, Touch } from './touched.ts';

type Condition = (row: readonly (string | number | null)[]) => boolean;

const MAYBE: Condition = () => true;

/** False only if neither the old row nor the new one can be in the answer. */
export function mayTouch(filter: Filter | undefined, layout: Layout): (touch: Touch) => boolean {
  const may = filter ? condition(filter, layout) : MAYBE;
  const mayHold = (row: RowValues | undefined): boolean => row !== undefined && (row === 'any' || may(row));
  return ({ table, before, after }) => table === layout.table && (mayHold(before) || mayHold(after));
}

/** What every row that matches the filter fulfils. */
function condition(filter: Filter, layout: Layout): Condition {
  switch (filter.op) {
    case 'and': {
      const parts = filter.of.map((part) => condition(part, layout));
      return (row) => parts.every((may) => may(row));
    }
    case 'or': {
      const parts = filter.of.map((part) => condition(part, layout));
      return (row) => parts.some((may) => may(row));
    }
    case 'not':
      return MAYBE;
    default:
      return onField(filter, layout);
  }
}

function onField(filter: Extract<Filter, { readonly field: string }>, layout: Layout): Condition {
  const at = layout.fields.findIndex(([field]) => field === filter.field);
  const spec = layout.fields[at]?.[1];
  if (!spec) return MAYBE;
  const exists: Condition = (row) => row[at] !== null;
  switch (filter.op) {
    case 'eq':
      return spec.type === 'number' ? exists : isOneOf(at, [filter.value]);
    case 'in':
      return spec.type === 'number' ? exists : isOneOf(at, filter.values);
    case 'contains':
    case 'containsPrefix':
      return (row) => row[at] !== null && row[at] !== 0;
    default:
      return exists;
  }
}

function isOneOf(at: number, values: readonly Scalar[]): Condition {
  // Booleans are 0 and 1, as in the rows.
  const encoded = values.map((value) => (typeof value === 'boolean' ? Number(value) : value));
  return (row) => encoded.includes(row[at] ?? '\0');
}
