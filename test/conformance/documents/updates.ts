import type { Test } from 'tap';
import { updateObject, updateWith } from '#lib/documents/update.ts';
import type { Make } from './make.ts';
import { openThings } from './things.ts';

export async function updateTests(t: Test, make: Make): Promise<void> {
  await t.test('changes an object and answers the result', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { size: 1 } });
    const updated = await updateObject(store, bucket, 'a', (current) => ({ ...current, name: 'x' }));
    const stored = await store.get(bucket, 'a');
    t.strictSame(updated, { key: 'a', value: { size: 1, name: 'x' }, etag: stored?.etag, changed: true });
    t.strictSame(stored?.value, { size: 1, name: 'x' });
  });

  await t.test('an absent key is undefined, and undefined leaves an object as it is', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { size: 1 } });
    const nothing = (): never => {
      throw new Error('there is nothing to change');
    };
    t.equal(await updateObject(store, bucket, 'nobody', nothing), undefined);
    const before = await store.get(bucket, 'a');
    const same = await updateObject(store, bucket, 'a', async () => undefined);
    t.strictSame(same, { key: 'a', value: { size: 1 }, etag: before?.etag, changed: false });
    t.equal((await store.get(bucket, 'a'))?.etag, before?.etag);
  });

  await t.test('of changes made at once none is lost', async (t) => {
    const { store, bucket, reopen } = await openThings(t, make, { a: { size: 0, tags: [] } });
    const other = await reopen();
    await other.open([bucket]);
    await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        updateObject(i % 2 === 0 ? store : other, bucket, 'a', ({ size, tags }) => ({
          size: (size as number) + 1,
          tags: [...(tags as string[]), `t${i}`],
        })),
      ),
    );
    const stored = await store.get(bucket, 'a');
    t.equal(stored?.value.size, 24);
    t.equal(new Set(stored?.value.tags as string[]).size, 24);
  });

  await t.test('gives up with the conflict after the given number of attempts', async (t) => {
    const { store, bucket, put } = await openThings(t, make, { a: { size: 0 } });
    let attempts = 0;
    const update = updateObject(
      store,
      bucket,
      'a',
      async () => {
        attempts += 1;
        await put({ a: { size: attempts } });
        return { size: -1 };
      },
      { attempts: 3 },
    );
    await t.rejects(update, { name: 'EtagConflictError', key: 'a' });
    t.equal(attempts, 3);
    t.strictSame((await store.get(bucket, 'a'))?.value, { size: 3 });
  });

  await t.test('what the change throws is thrown, and an aborted signal ends it', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: {} });
    const fail = (): never => {
      throw new RangeError('no');
    };
    await t.rejects(updateObject(store, bucket, 'a', fail), RangeError);
    const signal = AbortSignal.abort();
    await t.rejects(updateObject(store, bucket, 'a', fail, { signal }), { name: 'AbortError' });
  });

  await t.test('other writes happen with it or not at all', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { size: 1 }, b: { code: 'taken' } });
    const updated = await updateWith(store, bucket, 'a', ({ value: { size } }) => ({
      value: { size: (size as number) + 1 },
      also: [{ op: 'put', bucket, key: 'log', value: { size }, ifEtag: null }],
    }));
    t.equal(updated?.etag, (await store.get(bucket, 'a'))?.etag);
    t.strictSame((await store.get(bucket, 'log'))?.value, { size: 1 });
    const collides = updateWith(store, bucket, 'a', () => ({
      value: { size: 99 },
      also: [{ op: 'put', bucket, key: 'c', value: { code: 'taken' } }],
    }));
    await t.rejects(collides, { name: 'UniqueAttributeError' });
    t.strictSame((await store.get(bucket, 'a'))?.value, { size: 2 });
  });

  await t.test('a conflict of another write starts everything again', async (t) => {
    const { store, bucket } = await openThings(t, make, { a: { size: 1 }, b: { size: 1 } });
    let stale: string | undefined = 'stale';
    const updated = await updateWith(store, bucket, 'a', async () => {
      const ifEtag = stale ?? (await store.get(bucket, 'b'))?.etag;
      stale = undefined;
      return { value: { size: 2 }, also: [{ op: 'put', bucket, key: 'b', value: { size: 2 }, ifEtag }] };
    });
    t.equal(updated?.changed, true);
    t.strictSame((await store.get(bucket, 'b'))?.value, { size: 2 });
  });
}
