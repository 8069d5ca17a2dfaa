import type { Test } from 'tap';
import type { Filter } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { newBucket, openThings, THING_INDEX } from './things.ts';

export async function bucketTests(t: Test, make: Make): Promise<void> {
  await t.test('opening the same buckets again changes nothing', async (t) => {
    const { store, bucket, keys } = await openThings(t, make, { a: { name: 'x' } });
    await store.open([bucket]);
    await store.open([]);
    t.strictSame(await keys({ filter: { op: 'eq', field: 'name', value: 'x' } }), ['a']);
  });

  await t.test('several processes may open the same new buckets at once', async (t) => {
    const { store, reopen } = await make(t);
    const buckets = [newBucket(), newBucket(), newBucket()];
    const stores = [store, await reopen(), await reopen(), await reopen()];
    await Promise.all(stores.map((one) => one.open(buckets)));
    for (const [i, bucket] of buckets.entries()) {
      await stores[i]?.batch([{ op: 'put', bucket, key: 'a', value: { name: 'x' } }]);
      for (const one of stores) {
        t.equal(await one.count(bucket, { op: 'eq', field: 'name', value: 'x' }), 1);
      }
    }
  });

  await t.test('a higher version adds, drops and retypes indexes of what is stored', async (t) => {
    const { store, bucket } = await openThings(t, make, {
      a: { name: 'x', size: 1, note: 'n1', tags: [] },
      b: { name: 'y', size: 2, note: 'n2' },
      c: {},
    });
    const { name: _dropped, tags: _retyped, ...kept } = THING_INDEX;
    const next = newBucket({
      name: bucket.name,
      version: 2,
      index: { ...kept, note: { type: 'string' }, tags: { type: 'number', array: true } },
      together: [['size', 'note']],
    });
    const etag = (await store.get(bucket, 'a'))?.etag;
    const mtime = (await store.get(bucket, 'a'))?.mtime;
    await store.open([next]);
    const found = await store.find(next, { filter: { op: 'eq', field: 'note', value: 'n1' } });
    t.strictSame(
      found.map(({ key }) => key),
      ['a'],
    );
    t.equal(found[0]?.etag, etag);
    t.equal(found[0]?.mtime, mtime);
    t.strictSame(found[0]?.value, { name: 'x', size: 1, note: 'n1', tags: [] });
    t.equal(await store.count(next, { op: 'ge', field: 'size', value: 1 }), 2);
    await t.rejects(store.count(next, { op: 'eq', field: 'name', value: 'x' }), { name: 'NotIndexedError' });
    t.equal(await store.count(next, { op: 'contains', field: 'tags', value: 1 }), 0);
    await store.batch([{ op: 'put', bucket: next, key: 'a', value: { tags: [1] } }]);
    t.equal(await store.count(next, { op: 'contains', field: 'tags', value: 1 }), 1);
  });

  await t.test('a value that is not of a new index is kept, and not in it, or the version is refused', async (t) => {
    const { store, bucket } = await openThings(t, make, {
      a: { note: ['x'], tags: ['t'] },
      b: { name: 'y', note: 'n' },
    });
    const next = newBucket({
      name: bucket.name,
      version: 2,
      index: { ...THING_INDEX, note: { type: 'string' }, tags: { type: 'number', array: true } },
      together: [],
    });
    const refused = await store.open([next]).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.strictSame((await store.get(bucket, 'a'))?.value, { note: ['x'], tags: ['t'] });
    t.strictSame((await store.get(bucket, 'b'))?.value, { name: 'y', note: 'n' });
    if (refused === undefined) {
      t.equal(await store.count(next, { op: 'exists', field: 'note' }), 1);
      t.equal(await store.count(next, { op: 'contains', field: 'tags', value: 1 }), 0);
    } else {
      t.match(refused, { name: 'InvalidValueError' });
      t.equal(await store.count(bucket, { op: 'contains', field: 'tags', value: 't' }), 1, 'all is as it was');
    }
  });

  await t.test('a lower version than the stored one is ignored', async (t) => {
    const { store, reopen } = await make(t);
    const old = newBucket({ index: { name: { type: 'string' } }, together: [] });
    const next = newBucket({
      name: old.name,
      version: 2,
      index: { name: { type: 'string' }, size: { type: 'number' } },
      together: [],
    });
    await store.open([next]);
    const older = await reopen();
    await older.open([old]);
    await older.batch([{ op: 'put', bucket: old, key: 'a', value: { name: 'x', size: 5 } }]);
    t.equal(await store.count(next, { op: 'eq', field: 'size', value: 5 }), 1, 'the older process keeps the new index');
    t.equal(await older.count(old, { op: 'eq', field: 'name', value: 'x' }), 1);
  });

  await t.test('a process that runs goes on while another raises the version', async (t) => {
    const { store, reopen } = await make(t);
    const old = newBucket({ index: { name: { type: 'string' }, size: { type: 'number' } }, together: [] });
    await store.open([old]);
    const put = (key: string, value: object): Promise<string[]> =>
      store.batch([{ op: 'put', bucket: old, key, value }]);
    await put('a', { name: 'x', note: 'n' });
    t.equal(await store.count(old, { op: 'eq', field: 'name', value: 'x' }), 1);

    const next = newBucket({
      name: old.name,
      version: 2,
      index: { name: { type: 'string' }, note: { type: 'string' } },
      together: [],
    });
    const newer = await reopen();
    await newer.open([next]);
    await put('b', { name: 'x', note: 'n' });
    t.equal(await store.count(old, { op: 'eq', field: 'name', value: 'x' }), 2);
    t.strictSame((await store.get(old, 'a'))?.value, { name: 'x', note: 'n' });
    t.equal((await store.find(old, { sort: { field: 'name', order: 'asc' }, limit: 5 })).length, 2);
    t.equal(await newer.count(next, { op: 'eq', field: 'note', value: 'n' }), 2);
    await put('c', { name: 'z', size: 7 });
    const dropped = store.count(old, { op: 'eq', field: 'size', value: 7 });
    const answer = await dropped.catch((error: Error) => error.name);
    t.ok(answer === 1 || answer === 'NotIndexedError', `an index that was dropped answers rightly or not: ${answer}`);
  });

  await t.test(
    'a version that only adds fields which few have finds those, and all that was found before',
    async (t) => {
      const { store, reopen } = await make(t);
      const old = newBucket({
        index: {
          name: { type: 'string', substrings: true },
          code: { type: 'string', unique: true },
          tags: { type: 'string', array: true },
        },
        together: [['tags', 'name']],
      });
      await store.open([old]);
      const put = (key: string, value: object): Promise<string[]> =>
        store.batch([{ op: 'put', bucket: old, key, value }]);
      await put('a', { name: 'anna', code: '1', tags: ['t'], gone_at: 'b', note: 'gone_at' });
      await put('b', { name: 'bert', code: '2', tags: ['t'], note: '"gone_at":"x"' });
      await put('c', { name: 'carl', code: '3', gone_at: 'a' });
      await put('d', { name: 'dora', gone_at: null });

      const next = newBucket({
        name: old.name,
        version: 2,
        index: { ...old.index, gone_at: { type: 'string', sparse: true } },
        together: [...(old.together ?? []), ['gone_at', 'name'], ['gone_at', 'code', 'name']],
      });
      const newer = await reopen();
      await newer.open([next]);
      const keysOf = async (filter: Filter): Promise<string[]> => {
        const found = await newer.find(next, { filter, sort: { field: 'name', order: 'desc' }, limit: 10 });
        return found.map(({ key }) => key);
      };
      const gone: Filter = { op: 'exists', field: 'gone_at' };
      t.strictSame(await keysOf(gone), ['c', 'a']);
      t.strictSame(await keysOf({ op: 'and', of: [gone, { op: 'contains', field: 'tags', value: 't' }] }), ['a']);
      t.strictSame(await keysOf({ op: 'eq', field: 'gone_at', value: 'a' }), ['c']);
      t.strictSame(await keysOf({ op: 'not', of: gone }), ['d', 'b']);
      t.strictSame(await keysOf({ op: 'contains', field: 'tags', value: 't' }), ['b', 'a']);
      t.strictSame(await keysOf({ op: 'substring', field: 'name', value: 'ert' }), ['b']);
      // A process of before writes what it does not know of.
      await put('b', { name: 'bert', code: '2', gone_at: 'c' });
      await put('e', { name: 'eric', gone_at: 'd' });
      await put('c', { name: 'carl', code: '3' });
      t.strictSame(await keysOf(gone), ['e', 'b', 'a']);
      t.strictSame(await keysOf({ op: 'and', of: [gone, { op: 'eq', field: 'code', value: '1' }] }), ['a']);
      await t.rejects(put('f', { code: '3' }), { name: 'UniqueAttributeError', field: 'code' });
      t.equal(await store.count(old), 5);
    },
  );

  await t.test('an index that becomes unique over equal values leaves everything as it was', async (t) => {
    const { store, bucket, keys } = await openThings(t, make, { a: { name: 'x' }, b: { name: 'x' } });
    const next = newBucket({
      name: bucket.name,
      version: 2,
      index: { ...THING_INDEX, name: { type: 'string', unique: true } },
    });
    await t.rejects(store.open([next]), { name: 'UniqueAttributeError', field: 'name' });
    t.strictSame(await keys({ filter: { op: 'eq', field: 'name', value: 'x' } }), ['a', 'b']);
    await t.resolves(store.batch([{ op: 'put', bucket, key: 'c', value: { name: 'x' } }]));
  });

  await t.test('a faulty declaration is refused', async (t) => {
    const { store } = await make(t);
    const faulty = [
      newBucket({ name: 'Bad name' }),
      newBucket({ version: 0 }),
      newBucket({ index: { 'a"b': { type: 'string' } }, together: [] }),
      newBucket({ index: { name: { type: 'string' }, NAME: { type: 'string' } }, together: [] }),
      newBucket({ index: { tags: { type: 'string', array: true, unique: true } }, together: [] }),
      newBucket({ index: { tags: { type: 'string', array: true, sparse: true } }, together: [] }),
      newBucket({ index: { name: { type: 'string', unique: true, sparse: true } }, together: [] }),
      newBucket({ together: [['name', 'tags']] }),
      newBucket({ together: [['tags', 'sizes']] }),
      newBucket({ together: [['tags', 'name', 'size']] }),
      newBucket({ together: [['nobody']] }),
    ];
    for (const bucket of faulty) {
      await t.rejects(store.open([bucket]), TypeError);
    }
  });

  await t.test('fields may have the names of columns and of SQL words', async (t) => {
    const { store } = await make(t);
    const index = Object.fromEntries(
      ['id', 'key', 'etag', 'mtime', 'value', 'select', 'by', 'values'].map(
        (field) => [field, { type: 'string' }] as const,
      ),
    );
    const bucket = newBucket({
      index: { ...index, unique: { type: 'string', array: true } },
      together: [
        ['key', 'id'],
        ['unique', 'key'],
        ['unique', 'id'],
      ],
    });
    await store.open([bucket]);
    await store.batch([{ op: 'put', bucket, key: 'k', value: { key: 'a', id: 'b', select: 'c', unique: ['u'] } }]);
    const query = { filter: { op: 'eq', field: 'key', value: 'a' }, sort: { field: 'id', order: 'desc' } } as const;
    t.equal((await store.find(bucket, query))[0]?.key, 'k');
    const contains = { op: 'contains', field: 'unique', value: 'u' } as const;
    t.equal((await store.find(bucket, { ...query, filter: contains }))[0]?.key, 'k');
  });
}
