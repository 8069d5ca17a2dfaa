import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { COUNTERS, openCounters } from './fixture.ts';

const put = (count: number) => [{ op: 'put' as const, bucket: COUNTERS, key: 'a', value: { count } }];

test('a document that was read is found again without waiting, and never as it was before a write', async (t) => {
  const { path, store } = await openCounters(t);
  const other = await openSqliteStore({ path });
  t.teardown(() => other.close());
  await other.open([COUNTERS]);
  t.equal(store.kept(COUNTERS, 'a'), undefined, 'there is none');

  await store.batch(put(1));
  t.equal(store.kept(COUNTERS, 'a'), undefined, 'it was not read yet');
  const read = await store.get(COUNTERS, 'a');
  t.equal(store.kept(COUNTERS, 'a'), read);

  for (const [who, by] of Object.entries({ itself: store, 'another connection': other })) {
    await by.batch(put(2));
    t.equal(store.kept(COUNTERS, 'a'), undefined, `what ${who} wrote has to be read`);
    await store.get(COUNTERS, 'a');
    t.equal(store.kept(COUNTERS, 'a')?.value.count, 2);
  }
  await other.batch([{ op: 'del', bucket: COUNTERS, key: 'a' }]);
  t.equal(store.kept(COUNTERS, 'a'), undefined, 'it was deleted');
});

test('a closed store tells nothing of what it has read', async (t) => {
  const { store } = await openCounters(t);
  await store.batch(put(1));
  await store.get(COUNTERS, 'a');
  await store.close();
  t.equal(store.kept(COUNTERS, 'a'), undefined);
});
