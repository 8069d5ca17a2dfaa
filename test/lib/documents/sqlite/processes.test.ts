import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { PATIENCE } from '#lib/documents/sqlite/patience.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { COUNTERS, LOG, openCounters, startChild } from './fixture.ts';

test('several processes make the same new database and count together', async (t) => {
  const path = join(t.testdir(), 'new', 'folder', 'moray.db');
  const names = ['a', 'b', 'c', 'd'];
  const children = names.map((name) => startChild(t, 'count', [path, name, '40']));
  t.strictSame(await Promise.all(children.map(({ ended }) => ended)), [0, 0, 0, 0]);

  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.open([COUNTERS, LOG]);
  const shared = await store.get(COUNTERS, 'shared');
  t.equal(shared?.value.count, 160);
  t.strictSame([...(shared?.value.by ?? [])].sort(), names);
  t.equal(await store.count(LOG), 160);
  t.equal(await store.count(LOG, { op: 'eq', field: 'batch', value: 39 }), 4);
});

test('while another process holds the write lock, reads answer and the event loop turns', async (t) => {
  const { path, store } = await openCounters(t);
  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);

  const other = new Database(path);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  let written = false;
  const writing = store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 2 } }]).then(() => {
    written = true;
  });
  let longest = 0;
  for (let i = 0; i < 30; i += 1) {
    const start = performance.now();
    t.equal((await store.get(COUNTERS, 'a'))?.value.count, 1);
    await delay(5);
    longest = Math.max(longest, performance.now() - start);
  }
  t.notOk(written);
  // A thread that waited for the lock would do so until its patience ends: nobody else can release it.
  t.ok(longest < PATIENCE / 2, `no turn took long (${Math.round(longest)} ms)`);
  other.exec('COMMIT');
  await writing;
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 2);
});

test('a lock that is not released becomes StoreUnavailableError, and the store goes on afterwards', async (t) => {
  const { path, store } = await openCounters(t, { patience: 100 });
  const other = new Database(path);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const put = (): Promise<string[]> => store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);
  await t.rejects(Promise.all([put(), put()]), { name: 'StoreUnavailableError', cause: { code: 'SQLITE_BUSY' } });
  await t.rejects(store.open([LOG]), { name: 'StoreUnavailableError' });
  other.exec('ROLLBACK');
  await put();
  await store.open([LOG]);
  t.equal(await store.count(COUNTERS), 1);
});

test('batches that come together are committed together', async (t) => {
  const { path, store } = await openCounters(t);
  const watcher = new Database(path);
  t.teardown(() => watcher.close());
  const total = watcher.prepare('select count(*) from "counters$1"').pluck();
  const seen = new Set<unknown>();
  await Promise.all(
    Array.from({ length: 20 }, async (_, count) => {
      await store.batch([{ op: 'put', bucket: COUNTERS, key: `k${count}`, value: { count } }]);
      seen.add(total.get());
    }),
  );
  t.strictSame([...seen], [20]);
});

test('closing waits for a batch that waits for another process', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const store = await openSqliteStore({ path });
  await store.open([COUNTERS]);
  const other = new Database(path);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const writing = store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);
  const closing = store.close();
  await delay(20);
  other.exec('ROLLBACK');
  await t.resolves(writing);
  await closing;
  t.equal(other.prepare('select count(*) from "counters$1"').pluck().get(), 1);
});
