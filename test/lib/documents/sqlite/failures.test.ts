import { copyFileSync, existsSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { storeError } from '#lib/documents/sqlite/failure.ts';
import { Reserve } from '#lib/documents/sqlite/reserve.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { Writer } from '#lib/documents/sqlite/writer.ts';
import { fill, smallDisk } from '../../../helpers/small-disk.ts';
import { COUNTERS, openCounters, startChild } from './fixture.ts';

test('when a file cannot grow the batch fails whole and the store goes on', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  // In blocks of 512 or 1024 bytes: less than the document either way.
  const child = startChild(t, 'overflow', [path], 'ulimit -f 40000');
  t.equal(await child.ended, 0);
  t.strictSame(child.lines, ['StoreUnavailableError because of SqliteError', 'after,small', 'true']);
});

test('a full disk and a failing one are StoreUnavailableError with their cause', async (t) => {
  for (const code of ['SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT', 'SQLITE_READONLY']) {
    const cause = new Database.SqliteError('it broke', code);
    const error = storeError(cause);
    t.ok(error instanceof StoreUnavailableError, code);
    t.equal((error as Error).cause, cause);
  }
  const bug = new Database.SqliteError('no such column', 'SQLITE_ERROR');
  t.equal(storeError(bug), bug, 'a faulty statement is no outage');
});

test('what deletions need on a full disk is set aside, and again after it was needed', async (t) => {
  const { path, store } = await openCounters(t, { reserve: 100_000 });
  t.equal(statSync(`${path}-reserve`).size, 100_000);
  rmSync(`${path}-reserve`);
  await store.batch([{ op: 'del', bucket: COUNTERS, key: 'a' }]);
  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }], { frees: true });
  t.equal(statSync(`${path}-reserve`).size, 100_000, 'what frees space waits for none, and sets it aside anew');
  truncateSync(`${path}-reserve`, 50_000);
  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 2 } }]);
  t.ok(statSync(`${path}-reserve`).size >= 100_000, 'a piece that another process has given up too');
});

test('on a disk that others fill again and again each deletion has its piece of what was set aside', async (t) => {
  const folder = smallDisk(t, 16);
  if (folder === undefined) return;
  const path = join(folder, 'moray.db');
  const keys = ['a', 'b', 'c'];
  let store = await openSqliteStore({ path, reserve: 2_000_000 });
  t.teardown(() => store.close());
  await store.open([COUNTERS]);
  const note = 'x'.repeat(100_000);
  await store.batch(keys.map((key) => ({ op: 'put', bucket: COUNTERS, key, value: { count: 1, note } })));
  for (const key of keys) {
    fill(folder);
    await store.batch([{ op: 'del', bucket: COUNTERS, key }]);
    await t.rejects(store.batch([{ op: 'put', bucket: COUNTERS, key, value: { count: 1 } }]), {
      name: 'StoreFullError',
    });
    // A closed database has neither log nor index, which the next one needs.
    await store.close();
    fill(folder);
    store = await openSqliteStore({ path, reserve: 2_000_000 });
    await store.open([COUNTERS]);
    t.equal(await store.get(COUNTERS, key), undefined);
  }
});

test('a write that a quota refuses is a lack of room, and one that fails on a disk with room is none', async (t) => {
  const folder = smallDisk(t, 4);
  if (folder === undefined) return;
  const path = join(folder, 'moray.db');
  const reserve = new Reserve(path, 500_000);
  t.ok(await reserve.hold());
  const refused = new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_WRITE');
  const connection = new Connection(path);
  t.teardown(() => connection.close());
  const { write } = connection;
  // What a quota does to SQLite: a write fails, and no code says why.
  connection.write = (body) => {
    if (existsSync(`${path}-reserve`) && statSync(`${path}-reserve`).size > 400_000) throw refused;
    return write.call(connection, body) as ReturnType<typeof body>;
  };
  const writer = new Writer(connection, 1000, () => {}, reserve);
  await t.rejects(
    writer.write(() => [], true),
    { name: 'StoreUnavailableError', cause: refused },
    'there is room',
  );
  fill(folder);
  const written = [writer.write(() => ['kept'], false), writer.write(() => ['freed'], true)];
  t.match(await Promise.allSettled(written), [
    { status: 'rejected', reason: { name: 'StoreFullError' } },
    { status: 'fulfilled', value: ['freed'] },
  ]);
  t.notOk(reserve.isHeld);
});

test('on a full disk only what frees space is written', async (t) => {
  const folder = smallDisk(t, 4);
  if (folder === undefined) return;
  const store = await openSqliteStore({ path: join(folder, 'moray.db'), reserve: 500_000 });
  t.teardown(() => store.close());
  await store.open([COUNTERS]);
  const put = (key: string, note = '') =>
    store.batch([{ op: 'put', bucket: COUNTERS, key, value: { count: 1, note } }]);
  await put('a', 'x'.repeat(300_000));
  const empty = fill(folder);
  const long = 'y'.repeat(300_000);
  const batches = [put('b', long), put('c', long), store.batch([{ op: 'del', bucket: COUNTERS, key: 'a' }])];
  t.match(await Promise.allSettled(batches), [
    { status: 'rejected', reason: { name: 'StoreFullError' } },
    { status: 'rejected', reason: { name: 'StoreFullError' } },
    { status: 'fulfilled' },
  ]);
  t.equal(await store.get(COUNTERS, 'a'), undefined);
  await t.rejects(put('d'), { name: 'StoreFullError' }, 'although its few bytes would fit into what was set aside');
  empty();
  await put('d');
  t.match(await store.get(COUNTERS, 'd'), { value: { count: 1 } });
});

test('a batch that fails half-way leaves what was there', async (t) => {
  const { path, store } = await openCounters(t);
  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);
  const other = new Database(path);
  t.teardown(() => other.close());
  other.exec('drop table "counters$1$$values"');
  const put = store.batch([{ op: 'put', bucket: COUNTERS, key: 'b', value: { count: 2 } }]);
  await t.rejects(put, { code: 'SQLITE_ERROR' });
  t.equal(await store.count(COUNTERS), 1, 'half a batch is undone');
});

test('nothing is written to a database whose files were taken away or replaced', async (t) => {
  const { path, store } = await openCounters(t);
  const put = () => store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);
  await put();
  for (const name of [path, `${path}-wal`]) {
    renameSync(name, `${name}.away`);
    const gone = { name: 'StoreUnavailableError', message: `${name} was removed or replaced` };
    await t.rejects(put(), gone, 'or it would be gone with the process');
    await t.rejects(store.ping(), gone, 'and balancers hear of it');
    copyFileSync(`${name}.away`, name);
    await t.rejects(put(), gone, 'another file is none of ours');
    renameSync(`${name}.away`, name);
    await put();
    await store.ping();
  }
});

test('what is no database cannot be opened', async (t) => {
  const folder = t.testdir({ text: 'this is a text and no database at all '.repeat(100), sub: {} });
  await t.rejects(openSqliteStore({ path: join(folder, 'text') }), { name: 'StoreUnavailableError' });
  await t.rejects(openSqliteStore({ path: join(folder, 'text', 'moray.db') }), { name: 'StoreUnavailableError' });
  await t.rejects(openSqliteStore({ path: join(folder, 'sub') }), { name: 'StoreUnavailableError' });
});

test('a database in memory works too', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.teardown(() => store.close());
  await store.open([COUNTERS]);
  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'a', value: { count: 1 } }]);
  t.equal(await store.count(COUNTERS), 1);
});
