/** Lists of what is rare among the values of a field that has few. */
import { join } from 'node:path';
import { test } from 'tap';
import { Layout } from '#lib/documents/sql/layout.ts';
import { listParts } from '#lib/documents/sql/queries.ts';
import { Tables } from '#lib/documents/sql/tables.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { sqliteDialect } from '#lib/documents/sqlite/dialect.ts';
import { searchFor } from '#lib/documents/sqlite/narrowing.ts';
import { Steps } from '#lib/documents/sqlite/reading/steps.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { Trigrams } from '#lib/documents/sqlite/trigrams.ts';
import type { Bucket, Filter } from '#lib/documents/store.ts';

interface Thing {
  readonly os: string;
  readonly type: string;
  readonly size: number;
}

const THINGS: Bucket<Thing> = {
  name: 'things',
  version: 1,
  index: { os: { type: 'string', few: true }, type: { type: 'string', few: true }, size: { type: 'number' } },
  together: [['type', 'size']],
};
/** More than are looked at in their order before the search is narrowed, and than it is narrowed to. */
const COUNT = 4000;

test('what is rare among few values is found by its index, in any order and with other conditions', async (t) => {
  const path = join(t.testdir(), 'things.db');
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.open([THINGS]);
  const things = Array.from({ length: COUNT }, (_, at) => ({
    os: at % 1000 === 7 ? 'bsd' : 'linux',
    type: at % 500 === 9 ? 'zvol' : 'other',
    size: at,
  }));
  for (let at = 0; at < COUNT; at += 1000) {
    const some = things.slice(at, at + 1000);
    await store.batch(some.map((value) => ({ op: 'put', bucket: THINGS, key: `k${value.size}`, value })));
  }
  const eq = (field: string, value: string): Filter => ({ op: 'eq', field, value });
  const sizes = async (...of: Filter[]): Promise<number[]> => {
    const query = { filter: { op: 'and', of }, sort: { field: 'size', order: 'desc' }, limit: 10 } as const;
    return (await store.find(THINGS, query)).map(({ value: { size } }) => size);
  };
  t.same(await sizes(eq('os', 'bsd')), [3007, 2007, 1007, 7]);
  t.same(await sizes(eq('os', 'linux'), eq('type', 'zvol')), [3509, 3009, 2509, 2009, 1509, 1009, 509, 9]);
  t.same(await sizes(eq('type', 'zvol'), { op: 'lt', field: 'size', value: 1000 }), [509, 9]);
  t.same(await sizes(eq('os', 'plan9')), []);

  let looked = 0;
  const isWanted = (): boolean => {
    looked += 1;
    return true;
  };
  const connection = new Connection(path, { isReader: true, isWanted });
  t.teardown(() => connection.close());
  const tables = new Tables(new Layout(THINGS, sqliteDialect.identifier), sqliteDialect);
  const filter: Filter = { op: 'and', of: [eq('type', 'other'), eq('os', 'bsd')] };
  const query = { filter, sort: { field: 'size', order: 'desc' }, limit: 10 } as const;
  const search = searchFor(tables, query, new Trigrams(connection));
  const job = {
    type: 'find',
    parts: listParts(tables, query),
    limit: 10,
    refs: undefined,
    characters: 10_000,
  } as const;
  const steps = new Steps(connection);
  steps.run({ ...job, documentOf: tables.documentOf.sql, ...(search && { search }) });
  t.equal(looked, 4, 'no other rows are looked at');
  looked = 0;
  steps.run({ ...job, documentOf: tables.documentOf.sql });
  t.equal(looked, COUNT - 8, 'as they are without it');
  const ordered = new Layout(
    { ...THINGS, together: [...(THINGS.together ?? []), ['os', 'size']] },
    sqliteDialect.identifier,
  );
  const inOrder = searchFor(new Tables(ordered, sqliteDialect), query, new Trigrams(connection));
  t.equal(inOrder, undefined, 'nor is it needed where an index has their order');
});
