import { join } from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Filter, Query, Store } from '#lib/documents/store.ts';
import { COUNTERS, openCounters, SCRIBBLE_NAMES, SCRIBBLES, type Scribble, scribbled, startChild } from './fixture.ts';

const put = (key: string, value: Scribble) => ({ op: 'put' as const, bucket: SCRIBBLES, key, value });
const named = (value: string): Query => ({ filter: { op: 'eq', field: 'name', value }, limit: 5 });

const seen = async (store: Store, query: Query): Promise<string> =>
  JSON.stringify((await store.find(SCRIBBLES, query)).map(({ key, etag, value }) => [key, etag, value]));

function filters(): Filter[] {
  const names = SCRIBBLE_NAMES.map((value): Filter => ({ op: 'eq', field: 'name', value }));
  const [a, b, its] = names as [Filter, Filter, Filter];
  const open: Filter = { op: 'eq', field: 'open', value: true };
  const shared: Filter = { op: 'contains', field: 'acl', value: 'a' };
  return [
    ...names,
    ...[open, shared, { op: 'not', of: a } as const, { op: 'not', of: shared } as const],
    { op: 'and', of: [open, a] },
    { op: 'and', of: [{ op: 'or', of: [open, shared] }, b] },
    {
      op: 'or',
      of: [
        { op: 'and', of: [its, open] },
        { op: 'and', of: [a, shared] },
      ],
    },
    { op: 'in', field: 'name', values: ['b', '*'] },
    { op: 'eq', field: 'size', value: 0.1 },
    { op: 'in', field: 'size', values: [1, 2] },
    { op: 'ge', field: 'size', value: 1 },
    { op: 'substring', field: 'name', value: 's' },
    { op: 'containsPrefix', field: 'acl', value: 'i' },
    { op: 'exists', field: 'open' },
    { op: 'not', of: { op: 'exists', field: 'name' } },
    { op: 'and', of: [] },
    { op: 'or', of: [] },
  ];
}

test('lists that were kept are those that are found anew, whoever writes at random', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const [store, beside] = [await openSqliteStore({ path }), await openSqliteStore({ path })];
  t.teardown(() => Promise.all([store.close(), beside.close()]));
  await store.open([SCRIBBLES, COUNTERS]);
  await beside.open([SCRIBBLES]);
  const child = startChild(t, 'scribble', [path]);
  const queries = filters().flatMap((filter): Query[] => [
    { filter, limit: 4, sort: { field: 'size', order: 'asc' } },
    { filter, limit: 50 },
  ]);
  let [kept, rounds] = [0, 0];
  for (; rounds < 60; rounds += 1) {
    const writer = rounds % 3;
    const some = 1 + Math.floor(Math.random() * 3);
    if (writer === 2) {
      child.tell(String(some));
      await child.wrote(Math.floor(rounds / 3) + 1);
    } else {
      for (let i = 0; i < some; i += 1) await [store, beside][writer]?.batch([scribbled(Math.random)]);
    }
    kept += queries.filter((query) => store.keptList(SCRIBBLES, query) !== undefined).length;
    const fresh = await openSqliteStore({ path });
    await fresh.open([SCRIBBLES]);
    for (const query of queries) {
      const [mine, anew] = [await seen(store, query), await seen(fresh, query)];
      if (mine !== anew) t.equal(mine, anew, `round ${rounds}: ${JSON.stringify(query)}`);
    }
    await fresh.close();
  }
  t.ok(kept > queries.length, `${kept} of ${queries.length * rounds} were still kept`);
  child.process.kill();
});

test('a list is found anew only after a write that could have changed it, of its own process or another', async (t) => {
  const { path, store } = await openCounters(t);
  await store.open([SCRIBBLES]);
  const other = await openSqliteStore({ path });
  t.teardown(() => other.close());
  await other.open([SCRIBBLES, COUNTERS]);
  await store.batch([put('1', { name: 'a' }), put('2', { name: 'b' })]);
  const isKept = () => store.keptList(SCRIBBLES, named('a')) !== undefined;
  for (const by of [store, other]) {
    await store.find(SCRIBBLES, named('a'));
    t.ok(isKept());
    await by.batch([put('2', { name: 'b', size: 2 })]);
    await by.batch([{ op: 'put', bucket: COUNTERS, key: 'x', value: { count: 1 } }]);
    t.ok(isKept(), 'another name, another bucket');
    for (const write of [put('3', { name: 'a' }), put('3', { name: 'c' }), put('1', { name: 'a', open: true })]) {
      await by.batch([write]);
      t.notOk(isKept(), 'into the list, out of it, within it');
      await store.find(SCRIBBLES, named('a'));
    }
    await by.batch([{ op: 'del', bucket: SCRIBBLES, key: '1' }]);
    t.notOk(isKept(), 'gone');
    await by.batch([put('1', { name: 'a' })]);
  }
});

test('whoever looks after more writes than are noted finds lists anew, and the notes do not grow', async (t) => {
  const { path, store } = await openCounters(t);
  const count = { filter: { op: 'eq', field: 'count', value: -1 }, limit: 5 } as const;
  await store.open([SCRIBBLES]);
  const list = named('a');
  await store.find(SCRIBBLES, list);
  await store.find(COUNTERS, count);
  const many = Array.from({ length: 600 }, (_, i) => put(`k${i}`, { name: 'b' }));
  await store.batch(many);
  t.equal(store.keptList(SCRIBBLES, list), undefined);
  const raw = new Database(path, { readonly: true });
  t.teardown(() => raw.close());
  t.equal(raw.prepare('select count(*) from touched').pluck().get(), 500);
});

test('once there is no room for more lists, those that are asked for once drive nothing out', async (t) => {
  const { store } = await openCounters(t);
  await store.open([SCRIBBLES]);
  const lists = Array.from({ length: 2100 }, (_, i) => named(`n${i}`));
  const isKept = (list: Query | undefined) => list !== undefined && store.keptList(SCRIBBLES, list) !== undefined;
  for (const list of lists) await store.find(SCRIBBLES, list);
  t.ok(isKept(lists.at(0)), 'the first one is still there');
  t.notOk(isKept(lists.at(-1)));
  await store.find(SCRIBBLES, lists.at(-1) ?? {});
  t.ok(isKept(lists.at(-1)), 'what is asked for again is kept');
});

test('where writes are not noted, any write to the bucket empties its lists', async (t) => {
  const { path, store } = await openCounters(t);
  await store.open([SCRIBBLES]);
  const raw = new Database(path);
  t.teardown(() => raw.close());
  for (const event of ['insert', 'update', 'delete']) raw.exec(`drop trigger "touched$${event}$scribbles$1"`);
  await store.batch([put('1', { name: 'a' })]);
  await store.find(SCRIBBLES, named('a'));
  t.ok(store.keptList(SCRIBBLES, named('a')));
  await store.batch([put('2', { name: 'b' })]);
  t.equal(store.keptList(SCRIBBLES, named('a')), undefined);
});
