import type { Test } from 'tap';
import type { Query, Scalar } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { openThings, type Thing } from './things.ts';

export async function orderTests(t: Test, make: Make): Promise<void> {
  await t.test('without sort the order is by key, in bytes', async (t) => {
    const { keys } = await openThings(t, make, { b: {}, a: {}, B: {}, ä: {}, a1: {}, '\ufffd': {}, '𝄞': {} });
    t.strictSame(await keys({}), ['B', 'a', 'a1', 'b', 'ä', '\ufffd', '𝄞']);
    t.strictSame(await keys({ limit: 2 }), ['B', 'a']);
    t.strictSame(await keys({ after: { value: null, key: 'a' }, limit: 2 }), ['a1', 'b']);
    t.strictSame(await keys({ after: { value: null, key: 'a0' } }), ['a1', 'b', 'ä', '\ufffd', '𝄞']);
    t.strictSame(await keys({ after: { value: null, key: '𝄞' } }), []);
  });

  const byName = { p: { name: 'b' }, q: {}, r: { name: 'a' }, s: { name: 'B' }, u: {}, v: { name: 'a' } };
  await t.test('what has no such field comes before every value; ties follow the key', async (t) => {
    const { keys } = await openThings(t, make, byName);
    t.equal((await keys({ sort: { field: 'name', order: 'asc' } })).join(''), 'qusrvp');
    t.equal((await keys({ sort: { field: 'name', order: 'desc' } })).join(''), 'pvrsuq');
  });

  await t.test('numbers and booleans sort by value', async (t) => {
    const things = { a: { size: 10, open: true }, b: { size: 9 }, c: { size: -1, open: false }, d: {} };
    const { keys } = await openThings(t, make, things);
    t.equal((await keys({ sort: { field: 'size', order: 'asc' } })).join(''), 'dcba');
    t.equal((await keys({ sort: { field: 'open', order: 'asc' } })).join(''), 'bdca');
    t.equal((await keys({ sort: { field: 'open', order: 'desc' } })).join(''), 'acdb');
  });

  await t.test('a cursor goes on strictly after its place, through every object once', async (t) => {
    const things: Record<string, Thing> = {};
    for (let i = 0; i < 40; i += 1) {
      things[`k${(i * 17) % 40}`] = {
        ...(i % 5 !== 0 && { name: `n${i % 7}`, size: i % 4, open: i % 2 === 0, code: `c${i}` }),
        tags: [`t${i % 3}`],
      };
    }
    const { store, bucket, keys } = await openThings(t, make, things);
    const filters: Query[] = [
      {},
      { filter: { op: 'contains', field: 'tags', value: 't1' } },
      { filter: { op: 'eq', field: 'open', value: true } },
      {
        filter: {
          op: 'or',
          of: [
            { op: 'contains', field: 'tags', value: 't1' },
            { op: 'eq', field: 'open', value: true },
          ],
        },
      },
    ];
    for (const field of ['name', 'size', 'open', 'code'] as const) {
      for (const order of ['asc', 'desc'] as const) {
        for (const filter of filters) {
          const all = await keys({ ...filter, sort: { field, order } });
          for (const limit of [1, 3, 100]) {
            const seen: string[] = [];
            let after: Query['after'];
            for (;;) {
              const page = await store.find(bucket, { ...filter, sort: { field, order }, limit, after });
              seen.push(...page.map(({ key }) => key));
              const last = page.at(-1);
              if (last === undefined || page.length < limit) {
                break;
              }
              after = { value: (last.value[field] as Scalar | undefined) ?? null, key: last.key };
            }
            t.strictSame(seen, all, `${field} ${order} in pages of ${limit}`);
          }
        }
      }
    }
  });

  await t.test('a cursor may name a place that no object has', async (t) => {
    const { keys } = await openThings(t, make, byName);
    const asc = { field: 'name', order: 'asc' } as const;
    const desc = { field: 'name', order: 'desc' } as const;
    t.equal((await keys({ sort: asc, after: { value: 'a', key: 's' } })).join(''), 'vp');
    t.equal((await keys({ sort: asc, after: { value: 'aa', key: '' } })).join(''), 'p');
    t.equal((await keys({ sort: asc, after: { value: null, key: 'r' } })).join(''), 'usrvp');
    t.equal((await keys({ sort: desc, after: { value: 'a', key: 's' } })).join(''), 'rsuq');
    t.equal((await keys({ sort: desc, after: { value: null, key: 'r' } })).join(''), 'q');
    t.equal((await keys({ sort: desc, after: { value: 'A', key: 'z' }, limit: 1 })).join(''), 'u');
  });

  await t.test('the sort field must be an indexed scalar', async (t) => {
    const { store, bucket } = await openThings(t, make);
    for (const field of ['note', 'tags', 'toString', 'name" desc; drop table x; --']) {
      await t.rejects(store.find(bucket, { sort: { field, order: 'asc' } }), { name: 'NotIndexedError' });
    }
  });

  await t.test('a limit that is not positive is refused', async (t) => {
    const { store, bucket } = await openThings(t, make);
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await t.rejects(store.find(bucket, { limit }), RangeError);
    }
  });

  await t.test('without limit there is no limit', async (t) => {
    const { put, keys } = await openThings(t, make);
    await put(Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`k${i}`, { size: i }])));
    t.equal((await keys({ sort: { field: 'size', order: 'desc' } })).length, 2500);
  });

  await t.test('a list that is asked for again has all that was written meanwhile, by whomever', async (t) => {
    const { store, bucket, reopen, put } = await openThings(t, make, { a: { name: 'n1' }, b: { name: 'n2' } });
    const other = await reopen();
    await other.open([bucket]);
    const query: Query = { sort: { field: 'name', order: 'asc' }, limit: 10 };
    const list = async (from: typeof store) => (await from.find(bucket, query)).map(({ key }) => key).join('');
    t.equal(await list(store), 'ab');
    t.equal(await list(store), 'ab');
    await put({ c: { name: 'n0' } });
    t.equal(await list(store), 'cab');
    t.equal(await list(other), 'cab');
    await other.batch([{ op: 'put', bucket, key: 'a', value: { name: 'n3' } }]);
    t.equal(await list(store), 'cba');
    await t.rejects(store.batch([{ op: 'del', bucket, key: 'a', ifEtag: 'stale' }]), { name: 'EtagConflictError' });
    t.equal(await list(store), 'cba');
    const found = await store.find(bucket, query);
    found.reverse();
    t.equal(await list(store), 'cba', "the array is the caller's own");
  });
}
