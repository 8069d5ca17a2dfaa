/** Lists of objects whose array contains a value, in the order of a scalar declared together with the array. */
import type { Test } from 'tap';
import type { Filter, Query } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { newBucket, openThings, type Thing } from './things.ts';

const has = (value: string): Filter => ({ op: 'contains', field: 'tags', value });
const byName = (filter: Filter, order: 'asc' | 'desc' = 'asc'): Query => ({
  filter,
  sort: { field: 'name', order },
  limit: 100,
});

export async function elementTests(t: Test, make: Make): Promise<void> {
  await t.test('what contains a value follows every change of the array and of the scalar', async (t) => {
    const { put, keys, store, bucket } = await openThings(t, make, {
      a: { name: 'n3', tags: ['x'] },
      b: { name: 'n1', tags: ['x', 'y'] },
      c: { tags: ['x'] },
      d: { name: 'n2' },
    });
    t.equal((await keys(byName(has('x')))).join(''), 'cba');
    await put({ a: { name: 'n0', tags: ['x'] } });
    t.equal((await keys(byName(has('x')))).join(''), 'cab', 'the scalar alone has changed');
    await put({ a: { name: 'n0', tags: ['y'] }, d: { name: 'n2', tags: ['x'] } });
    t.equal((await keys(byName(has('x')))).join(''), 'cbd', 'the array alone has changed');
    t.equal((await keys(byName(has('y'), 'desc'))).join(''), 'ba');
    await put({ b: { tags: ['x', 'z'] }, c: { name: 'n9', tags: ['w', 'x'] } });
    t.equal((await keys(byName(has('x')))).join(''), 'bdc', 'both have changed');
    await store.batch([{ op: 'del', bucket, key: 'd' }]);
    await put({ b: {} });
    t.equal((await keys(byName(has('x')))).join(''), 'c');
  });

  await t.test('it obeys all other conditions, and comes once where several of them let it in', async (t) => {
    const { keys } = await openThings(t, make, {
      a: { name: 'n1', tags: ['x', 'y'], open: true, size: 1 },
      b: { name: 'n2', tags: ['x'], open: false, size: 2 },
      c: { name: 'n3', tags: ['y'], open: true, size: 3 },
      d: { name: 'n4', tags: ['x', 'y'], size: 4 },
    });
    const open: Filter = { op: 'eq', field: 'open', value: true };
    const found = async (filter: Filter, more: Partial<Query> = {}) =>
      (await keys({ ...byName(filter), ...more })).join('');
    t.equal(await found({ op: 'and', of: [has('x'), has('y')] }), 'ad');
    t.equal(await found({ op: 'and', of: [has('y'), open] }), 'ac');
    t.equal(await found({ op: 'and', of: [{ op: 'eq', field: 'name', value: 'n2' }, has('x')] }), 'b');
    t.equal(await found({ op: 'and', of: [has('x'), { op: 'not', of: has('y') }] }), 'b');
    t.equal(await found({ op: 'not', of: has('x') }), 'c');
    const either: Filter = { op: 'or', of: [has('x'), { op: 'and', of: [has('y'), open] }, open] };
    t.equal(await found(either), 'abcd');
    t.equal(await found(either, { limit: 3 }), 'abc');
    t.equal(await found(either, { limit: 2, after: { value: 'n1', key: 'a' } }), 'bc');
    t.equal(await found({ op: 'and', of: [{ op: 'ge', field: 'size', value: 2 }, either] }), 'bcd');
    const { limit: _, ...all } = byName(either, 'desc');
    t.equal((await keys(all)).join(''), 'dcba', 'also without limit');
  });

  await t.test('a higher version that declares the two together takes over what is stored', async (t) => {
    const { store } = await make(t);
    const old = newBucket({ together: [] });
    await store.open([old]);
    const things: Record<string, Thing> = { a: { name: 'n2', tags: ['x'] }, b: { name: 'n1', tags: ['x'] }, c: {} };
    await store.batch(Object.entries(things).map(([key, value]) => ({ op: 'put', bucket: old, key, value })));
    const next = newBucket({ name: old.name, version: 2, together: [['tags', 'name']] });
    await store.open([next]);
    const found = async () => (await store.find(next, byName(has('x')))).map(({ key }) => key).join('');
    t.equal(await found(), 'ba');
    await store.batch([{ op: 'put', bucket: next, key: 'b', value: { name: 'n3', tags: ['x'] } }]);
    t.equal(await found(), 'ab');
  });
}
