import type { Test } from 'tap';
import type { Query, ReadOptions, Store, Stored } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { openThings, type Thing } from './things.ts';

const ASC = { field: 'name', order: 'asc' } as const;
const DESC = { field: 'name', order: 'desc' } as const;

function many(count: number, more: (i: number) => Thing = () => ({})): Record<string, Thing> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `k${(i * 7919) % 100_003}`,
      { ...(i % 11 !== 0 && { name: `n${i % 13}` }), size: i, open: i % 3 === 0, tags: [`t${i % 2}`], ...more(i) },
    ]),
  );
}

export async function scanTests(t: Test, make: Make): Promise<void> {
  await t.test('a scan has what find has, in its order, in bits of which none is empty', async (t) => {
    const { store, bucket, put, keys } = await openThings(t, make);
    await put(many(7000));
    const or = { op: 'or', of: [contains('t1'), { op: 'eq', field: 'open', value: true }] } as const;
    const queries: Query[] = [
      {},
      { sort: ASC },
      { sort: DESC },
      { sort: DESC, filter: contains('t1') },
      { sort: ASC, filter: or },
      { filter: { op: 'substring', field: 'name', value: '1' } },
      { sort: ASC, after: { value: 'n3', key: 'k5' } },
      { sort: DESC, after: { value: null, key: 'k5' } },
      { sort: ASC, limit: 6001 },
      { sort: DESC, limit: 1, filter: or },
      { sort: { field: 'size', order: 'desc' }, filter: { op: 'ge', field: 'size', value: 6998 } },
      { filter: contains('nothing') },
      { filter: { op: 'or', of: [] } },
    ];
    for (const query of queries) {
      const bits = await bitsOf(store, bucket, query);
      t.strictSame(bits.flat(), await keys(query), JSON.stringify(query));
      t.ok(bits.every((bit) => bit.length > 0));
    }
    t.equal((await keys({})).length, 7000);
  });

  await t.test('a scan of large values comes in several bits', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    await put(many(40, () => ({ note: 'x'.repeat(100_000) })));
    const bits = await bitsOf(store, bucket, { sort: ASC });
    t.equal(new Set(bits.flat()).size, 40);
    t.ok(bits.length >= 4, `${bits.length} bits`);
    t.ok(
      bits.every((bit) => bit.length <= 10),
      'none of them is large',
    );
  });

  await t.test('what nobody writes meanwhile is in it exactly once', async (t) => {
    const things = many(900, () => ({ note: 'x'.repeat(5000) }));
    const { store, bucket, put } = await openThings(t, make, things);
    const touched = (key: string): boolean => Number(key.slice(1)) % 4 === 0;
    for (const query of [{}, { sort: ASC }, { sort: DESC, filter: contains('t1') }, { sort: ASC, limit: 5000 }]) {
      const expected = (await bitsOf(store, bucket, query)).flat().filter((key) => !touched(key));
      const seen: string[] = [];
      let bits = 0;
      for await (const bit of store.scan(bucket, query)) {
        seen.push(...bit.map(({ key }) => key));
        bits += 1;
        // Moves some of them to other places in the order, removes some, and adds others.
        const moved = Object.entries(things).filter(([key], i) => touched(key) && i % 10 === bits % 10);
        await put(Object.fromEntries(moved.map(([key, thing]) => [key, { ...thing, name: `moved${bits}` }])));
        await put({ [`k${bits * 4}`]: { name: 'n1', tags: ['t1'] } });
        await store.batch([{ op: 'del', bucket, key: `k${bits * 8}` }]);
      }
      t.ok(bits > 1);
      t.strictSame(
        seen.filter((key) => !touched(key)),
        expected,
        JSON.stringify(query),
      );
      t.strictSame(
        seen.length,
        new Set(seen).size + repeated(seen).filter(touched).length,
        'only what moved comes twice',
      );
    }
  });

  await t.test(
    'without values it has the same keys, etags and times, and the values are found as before',
    async (t) => {
      const { store, bucket, put } = await openThings(t, make);
      await put(many(5000));
      const told = ({ key, etag, mtime }: Stored<object>) => ({ key, etag, mtime });
      const expected = (await store.find(bucket, {})).map(told);
      for (const [query, found] of [
        [{}, expected],
        [{ limit: 4001 }, expected.slice(0, 4001)],
        [{ after: { value: null, key: expected[2500]?.key ?? '' } }, expected.slice(2501)],
        [
          { filter: contains('t1'), limit: 3 },
          (await store.find(bucket, { filter: contains('t1'), limit: 3 })).map(told),
        ],
      ] as const) {
        const seen: object[] = [];
        for await (const bit of store.scan(bucket, query, { withoutValues: true })) seen.push(...bit.map(told));
        t.strictSame(seen, found, JSON.stringify(query));
      }
      const sorted: object[] = [];
      for await (const bit of store.scan(bucket, { sort: ASC }, { withoutValues: true })) sorted.push(...bit.map(told));
      t.strictSame(sorted, (await store.find(bucket, { sort: ASC })).map(told));
      t.strictSame(
        (await store.find(bucket, { limit: 1 })).map(({ value }) => Object.keys(value).length > 0),
        [true],
      );
    },
  );

  await t.test('it can be left, and an abort ends it with its reason', async (t) => {
    const { store, bucket } = await openThings(
      t,
      make,
      many(2000, () => ({ note: 'x'.repeat(2000) })),
    );
    for await (const bit of store.scan(bucket, {})) {
      t.ok(bit.length < 2000);
      break;
    }
    const reason = new Error('no longer');
    await t.rejects(bitsOf(store, bucket, { sort: ASC }, { signal: AbortSignal.abort(reason) }), reason);
    await t.rejects(store.find(bucket, { sort: DESC }, { signal: AbortSignal.abort(reason) }), reason);
    await t.rejects(store.count(bucket, contains('t1'), { signal: AbortSignal.abort(reason) }), reason);
    const leaving = new AbortController();
    let seen = 0;
    const reading = (async () => {
      for await (const bit of store.scan(bucket, { sort: ASC }, { signal: leaving.signal })) {
        seen += bit.length;
        leaving.abort(reason);
      }
    })();
    await t.rejects(reading, reason);
    t.ok(seen > 0 && seen < 2000);
    t.equal((await store.find(bucket, { sort: ASC })).length, 2000, 'others are not concerned');
  });

  await t.test('mistakes are told as by find', async (t) => {
    const { store, bucket } = await openThings(t, make);
    await t.rejects(bitsOf(store, bucket, { sort: { field: 'note', order: 'asc' } }), { name: 'NotIndexedError' });
    await t.rejects(bitsOf(store, bucket, { limit: 0 }), RangeError);
  });
}

function contains(value: string) {
  return { op: 'contains', field: 'tags', value } as const;
}

function repeated(keys: readonly string[]): string[] {
  return keys.filter((key, i) => keys.indexOf(key) !== i);
}

async function bitsOf(
  store: Store,
  bucket: Parameters<Store['scan']>[0],
  query: Query,
  options?: ReadOptions,
): Promise<string[][]> {
  const bits: string[][] = [];
  for await (const bit of store.scan(bucket, query, options)) {
    bits.push(bit.map(({ key }) => key));
  }
  return bits;
}
