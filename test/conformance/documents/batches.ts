import type { Test } from 'tap';
import type { Write } from '#lib/documents/store.ts';
import type { Make } from './make.ts';
import { newBucket, openThings, type Thing } from './things.ts';

export async function batchTests(t: Test, make: Make): Promise<void> {
  await t.test('answers an etag for each put and an empty text for each del, in order', async (t) => {
    const { store, bucket } = await openThings(t, make, { old: {} });
    const etags = await store.batch([
      { op: 'put', bucket, key: 'a', value: {} },
      { op: 'del', bucket, key: 'old' },
      { op: 'put', bucket, key: 'b', value: {} },
    ]);
    t.equal(etags.length, 3);
    t.equal(etags[0], (await store.get(bucket, 'a'))?.etag);
    t.equal(etags[1], '');
    t.equal(etags[2], (await store.get(bucket, 'b'))?.etag);
    t.equal(await store.get(bucket, 'old'), undefined);
    t.strictSame(await store.batch([]), []);
  });

  await t.test('spans buckets, and happens whole or not at all', async (t) => {
    const { store, bucket } = await openThings(t, make, { here: { name: 'before' } });
    const other = newBucket();
    await store.open([other]);
    const writes = (ifEtag: string): Write[] => [
      { op: 'put', bucket: other, key: 'new', value: { tags: ['x'] } },
      { op: 'put', bucket, key: 'here', value: { name: 'after' } },
      { op: 'del', bucket, key: 'here', ifEtag },
    ];
    await t.rejects(store.batch(writes('not this')), { name: 'EtagConflictError', bucket: bucket.name, key: 'here' });
    t.strictSame((await store.get(bucket, 'here'))?.value, { name: 'before' });
    t.equal(await store.get(other, 'new'), undefined);
    t.equal(await store.count(other, { op: 'contains', field: 'tags', value: 'x' }), 0);
    t.equal(await store.count(bucket, { op: 'eq', field: 'name', value: 'before' }), 1);
  });

  await t.test('without ifEtag a put replaces whatever is there', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    await put({ a: { name: 'one', tags: ['x', 'y'], size: 1 } });
    await put({ a: { name: 'two', tags: ['y', 'z'] } });
    t.strictSame((await store.get(bucket, 'a'))?.value, { name: 'two', tags: ['y', 'z'] });
    t.equal(await store.count(bucket, { op: 'contains', field: 'tags', value: 'x' }), 0);
    t.equal(await store.count(bucket, { op: 'contains', field: 'tags', value: 'y' }), 1);
    t.equal(await store.count(bucket, { op: 'contains', field: 'tags', value: 'z' }), 1);
    t.equal(await store.count(bucket, { op: 'exists', field: 'size' }), 0);
  });

  await t.test('with ifEtag null the key must not exist', async (t) => {
    const { store, bucket } = await openThings(t, make);
    const create = (): Promise<string[]> =>
      store.batch([{ op: 'put', bucket, key: 'a', value: { name: 'x' }, ifEtag: null }]);
    const [etag] = await create();
    await t.rejects(create(), { name: 'EtagConflictError', key: 'a', expected: null, actual: etag });
  });

  await t.test('with an etag it must be the current one', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    const [first] = await put({ a: { size: 1 } });
    const change = (ifEtag: string | undefined, key = 'a'): Promise<string[]> =>
      store.batch([{ op: 'put', bucket, key, value: { size: 2 }, ifEtag }]);
    const [second] = await change(first);
    await t.rejects(change(first), { name: 'EtagConflictError', expected: first, actual: second });
    await t.rejects(change(first, 'nobody'), { name: 'EtagConflictError', expected: first, actual: null });
  });

  await t.test('deleting an absent key is no error unless an etag was given', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    await t.resolves(store.batch([{ op: 'del', bucket, key: 'nobody' }]));
    const del = (ifEtag: string | undefined): Promise<string[]> =>
      store.batch([{ op: 'del', bucket, key: 'a', ifEtag }]);
    await t.rejects(del('x'), { name: 'EtagConflictError', actual: null });
    const [etag] = await put({ a: {} });
    await t.rejects(del('x'), { name: 'EtagConflictError', actual: etag });
    await t.resolves(del(etag));
    t.equal(await store.get(bucket, 'a'), undefined);
  });

  await t.test('writes happen in order, so one batch may write a key twice', async (t) => {
    const { store, bucket } = await openThings(t, make);
    const etags = await store.batch([
      { op: 'put', bucket, key: 'a', value: { name: 'one' }, ifEtag: null },
      { op: 'put', bucket, key: 'a', value: { name: 'two' } },
      { op: 'put', bucket, key: 'b', value: { name: 'gone' } },
      { op: 'del', bucket, key: 'b' },
    ]);
    t.strictSame((await store.get(bucket, 'a'))?.value, { name: 'two' });
    t.equal((await store.get(bucket, 'a'))?.etag, etags[1]);
    t.equal(await store.get(bucket, 'b'), undefined);
    const createTwice = store.batch([
      { op: 'put', bucket, key: 'c', value: {}, ifEtag: null },
      { op: 'put', bucket, key: 'c', value: {}, ifEtag: null },
    ]);
    await t.rejects(createTwice, { name: 'EtagConflictError', key: 'c' });
    t.equal(await store.get(bucket, 'c'), undefined);
  });

  await t.test('of many creations at once exactly one wins', async (t) => {
    const { store, bucket, reopen } = await openThings(t, make);
    const other = await reopen();
    await other.open([bucket]);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, size) =>
        (size % 2 === 0 ? store : other).batch([{ op: 'put', bucket, key: 'a', value: { size }, ifEtag: null }]),
      ),
    );
    const won = results.findIndex(({ status }) => status === 'fulfilled');
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    t.strictSame((await store.get(bucket, 'a'))?.value, { size: won });
    for (const result of results) {
      if (result.status === 'rejected') {
        t.equal(result.reason.name, 'EtagConflictError');
      }
    }
  });

  await t.test('batches made at once fail and succeed each for itself', async (t) => {
    const { store, bucket, keys } = await openThings(t, make, { taken: { code: 'c' } });
    const results = await Promise.allSettled([
      store.batch([{ op: 'put', bucket, key: 'a', value: { size: 1 } }]),
      store.batch([
        { op: 'put', bucket, key: 'b', value: { size: 2 } },
        { op: 'put', bucket, key: 'c', value: { code: 'c' } },
      ]),
      store.batch([{ op: 'put', bucket, key: 'd', value: { size: 'wrong' } }]),
      store.batch([{ op: 'del', bucket, key: 'taken', ifEtag: 'wrong' }]),
      store.batch([{ op: 'put', bucket, key: 'e', value: { size: 3 } }]),
    ]);
    t.strictSame(
      results.map((result) => (result.status === 'rejected' ? result.reason.name : 'done')),
      ['done', 'UniqueAttributeError', 'InvalidValueError', 'EtagConflictError', 'done'],
    );
    t.strictSame(await keys({}), ['a', 'e', 'taken']);
  });

  await t.test('no two objects hold the same value of a unique field', async (t) => {
    const { store, bucket, put } = await openThings(t, make, { a: { code: 'x' }, b: {}, c: {} });
    await t.rejects(put({ d: { code: 'x' } }), { name: 'UniqueAttributeError', bucket: bucket.name, field: 'code' });
    await t.rejects(put({ b: { code: 'x' } }), { name: 'UniqueAttributeError', field: 'code' });
    t.equal(await store.get(bucket, 'd'), undefined);
    await t.resolves(put({ a: { code: 'x', size: 1 } }), 'an object does not collide with itself');
    await put({ a: { code: 'y' } });
    await t.resolves(put({ d: { code: 'x' } }), 'a value that was given up is free');
    await t.resolves(
      store.batch([
        { op: 'del', bucket, key: 'a' },
        { op: 'put', bucket, key: 'd', value: { code: 'y' } },
      ]),
    );
  });

  await t.test('a value outside the type of its index is refused, and says which', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    const wrong: Record<keyof Thing, unknown[]> = {
      name: [1, true, {}, ['a'], 'a\0b', '\ud800', new Date(0)],
      size: ['1', true, Number.NaN, Number.POSITIVE_INFINITY, [1]],
      open: ['true', 0, 1],
      code: [5],
      tags: ['a', [1], ['a', null], ['a', ['b']], ['a\0'], { 0: 'a' }],
      sizes: [1, ['1'], [Number.NaN]],
      flags: [true, [1]],
      note: [],
    };
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        await t.rejects(put({ ok: {}, bad: { [field]: value } }), { name: 'InvalidValueError', message: `"${field}"` });
      }
    }
    t.equal(await store.count(bucket), 0);
    await t.rejects(put({ '': {} }), { name: 'InvalidValueError' }, 'an empty key');
    await t.rejects(store.batch([{ op: 'put', bucket, key: 'a', value: [] }]), { name: 'InvalidValueError' });
  });

  await t.test('null counts as absent; fields without index hold anything', async (t) => {
    const { store, bucket } = await openThings(t, make, {
      a: { name: null, tags: null, note: [1, 'x', null] },
      b: { tags: [], name: '' },
    });
    t.strictSame((await store.get(bucket, 'a'))?.value, { name: null, tags: null, note: [1, 'x', null] });
    t.equal(await store.count(bucket, { op: 'exists', field: 'name' }), 1);
    t.equal(await store.count(bucket, { op: 'exists', field: 'tags' }), 1);
  });

  await t.test('a bucket that was not opened is a mistake of the caller', async (t) => {
    const { store } = await openThings(t, make);
    const unknown = newBucket();
    await t.rejects(store.batch([{ op: 'put', bucket: unknown, key: 'a', value: {} }]), TypeError);
    await t.rejects(store.get(unknown, 'a'), TypeError);
  });
}
