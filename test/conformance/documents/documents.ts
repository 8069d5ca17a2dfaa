import type { Test } from 'tap';
import type { Make } from './make.ts';
import { openThings, type Thing } from './things.ts';

export async function documentTests(t: Test, make: Make): Promise<void> {
  await t.test('a document comes back as it was put, with key, etag and time', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    const value = { name: 'ü☃𝄞', deep: { list: [1, null, { x: 'y' }], 'odd key.$': -0.5 }, empty: {}, none: null };
    const before = Date.now();
    const [etag] = await put({ 'a/b c': value as Thing });
    const stored = await store.get(bucket, 'a/b c');
    t.strictSame(stored?.value, value);
    t.equal(stored?.key, 'a/b c');
    t.equal(stored?.etag, etag);
    t.ok((stored?.mtime ?? 0) >= before - 1000 && (stored?.mtime ?? 0) <= Date.now() + 1000, 'mtime is about now');
  });

  await t.test('an absent key is undefined', async (t) => {
    const { store, bucket } = await openThings(t, make);
    t.equal(await store.get(bucket, 'nobody'), undefined);
  });

  await t.test('keys differ by case and by accent', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { note: 1 }, A: { note: 2 }, ä: { note: 3 } });
    t.same((await store.get(bucket, 'a'))?.value, { note: 1 });
    t.same((await store.get(bucket, 'A'))?.value, { note: 2 });
    t.same((await store.get(bucket, 'ä'))?.value, { note: 3 });
  });

  await t.test('getMany answers those that exist, each once', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { name: 'x' }, b: {}, c: {} });
    const stored = await store.getMany(bucket, ['c', 'a', 'missing', 'a', 'a\0']);
    t.strictSame(stored.map(({ key }) => key).sort(), ['a', 'c']);
    t.strictSame(stored.find(({ key }) => key === 'a')?.value, { name: 'x' });
    t.strictSame(await store.getMany(bucket, []), []);
    t.strictSame(await store.getMany(bucket, ['a\0']), []);
  });

  await t.test('getMany takes thousands of keys', async (t) => {
    const { store, bucket } = await openThings(t, make, { k7: {}, k4999: {} });
    const keys = Array.from({ length: 5000 }, (_, i) => `k${i}`);
    t.equal((await store.getMany(bucket, keys)).length, 2);
  });

  await t.test('values are frozen all the way down, or nobody else has them', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { note: { list: [{ x: 1 }] } } });
    const get = () => store.get(bucket, 'a');
    const ways = [get, get, get, async () => (await store.getMany(bucket, ['a']))[0]];
    ways.push(async () => (await store.find(bucket, {}))[0]);
    const seen = new Set<unknown>();
    for (const read of ways) {
      const stored = await read();
      const note = stored?.value.note as { list: { x: number }[] };
      t.strictSame(note, { list: [{ x: 1 }] });
      const parts = [note, note.list, note.list[0]];
      const isShared = seen.has(note) || parts.some(Object.isFrozen);
      seen.add(note);
      if (!isShared) note.list.push({ x: 2 });
      else t.ok(parts.every(Object.isFrozen));
    }
  });

  await t.test('what a caller does to its object after the call is not written', async (t) => {
    const { store, bucket } = await openThings(t, make);
    const value = { name: 'before', tags: ['a'] };
    const writing = store.batch([{ op: 'put', bucket, key: 'a', value }]);
    value.name = 'after';
    value.tags.push('b');
    await writing;
    t.strictSame((await store.get(bucket, 'a'))?.value, { name: 'before', tags: ['a'] });
    t.equal(await store.count(bucket, { op: 'eq', field: 'name', value: 'before' }), 1);
    t.equal(await store.count(bucket, { op: 'contains', field: 'tags', value: 'b' }), 0);
  });

  await t.test('a large document is no trouble', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    const note = 'x☃'.repeat(500_000);
    await put({ big: { note } });
    t.equal((await store.get(bucket, 'big'))?.value.note, note);
  });

  await t.test('another process sees each write at once, whatever it has read before', async (t) => {
    const { store, bucket, reopen, put } = await openThings(t, make, { a: { name: 'one' } });
    const other = await reopen();
    await other.open([bucket]);
    t.strictSame((await other.get(bucket, 'a'))?.value, { name: 'one' });
    await put({ a: { name: 'two' } });
    t.strictSame((await other.get(bucket, 'a'))?.value, { name: 'two' });
    await other.batch([{ op: 'del', bucket, key: 'a' }]);
    t.equal(await store.get(bucket, 'a'), undefined);
    t.strictSame(await store.find(bucket, {}), []);
  });

  await t.test('what was written is there after closing and opening again', async (t) => {
    const { store, bucket, reopen, put } = await openThings(t, make);
    const [etag] = await put({ a: { name: 'kept', tags: ['t'] } });
    await store.close();
    const later = await reopen();
    await later.open([bucket]);
    t.equal((await later.get(bucket, 'a'))?.etag, etag);
    t.equal(await later.count(bucket, { op: 'contains', field: 'tags', value: 't' }), 1);
  });

  await t.test('after close every call is refused, and closing again is fine', async (t) => {
    const { store, bucket, put } = await openThings(t, make);
    const lastWrite = put({ a: {} });
    await Promise.all([store.close(), store.close()]);
    await t.resolves(lastWrite, 'a batch that was on its way is finished first');
    await store.close();
    const unavailable = { name: 'StoreUnavailableError' };
    await t.rejects(store.get(bucket, 'a'), unavailable);
    await t.rejects(store.getMany(bucket, ['a']), unavailable);
    await t.rejects(store.find(bucket, {}), unavailable);
    await t.rejects(store.count(bucket), unavailable);
    await t.rejects(store.batch([{ op: 'put', bucket, key: 'a', value: {} }]), unavailable);
    await t.rejects(store.open([bucket]), unavailable);
    await t.rejects(store.ping(), unavailable);
  });

  await t.test('ping answers while the store is up', async (t) => {
    const { store } = await openThings(t, make);
    await t.resolves(store.ping());
  });
}
