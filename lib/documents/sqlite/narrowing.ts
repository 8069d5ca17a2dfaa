/**
 * How to narrow a search that would look at every row in its order: by an index that finds the rows which can match, where
 * these are few. Which they are is found out when the search is made.
 */
import type { Layout } from '../sql/layout.ts';
import { listPartsAmong } from '../sql/queries.ts';
import type { Tables } from '../sql/tables.ts';
import type { Filter, Query } from '../store.ts';
import type { Narrowing, Search } from './reading/protocol.ts';
import type { Trigrams } from './trigrams.ts';

/** Undefined if nothing narrows it. @throws what `listParts` throws */
export function searchFor(tables: Tables, query: Query, trigrams: Trigrams): Search | undefined {
  const byText = trigrams.narrowing(tables.layout, query.filter);
  const by = [...(byText ? [byText] : []), ...byRareValues(tables.layout, query)];
  return by.length > 0 ? { by, parts: listPartsAmong(tables, query) } : undefined;
}

/** A field with few values has no index in the order of the query, as most of its values are found soon without one. */
function byRareValues(layout: Layout, { filter, sort }: Query): Narrowing[] {
  if (sort === undefined) return [];
  const { together = [], index } = layout.declaration;
  return termsOf(filter).flatMap((term) => {
    if (term.op !== 'eq' || typeof term.value !== 'string' || index[term.field]?.few !== true) return [];
    if (together.some(([first, second]) => first === term.field && second === sort.field)) return [];
    const column = `"${layout.column(term.field)}"`;
    return [{ sql: `select id from "${layout.table}" where ${column} = ? limit ?`, text: term.value }];
  });
}

function termsOf(filter: Filter | undefined): readonly Filter[] {
  if (filter === undefined) return [];
  return filter.op === 'and' ? filter.of.flatMap(termsOf) : [filter];
}
