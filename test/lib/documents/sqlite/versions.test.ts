import { join } from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket } from '#lib/documents/store.ts';

const V1: Bucket = {
  name: 'things',
  version: 1,
  index: { size: { type: 'string' }, tags: { type: 'string', array: true } },
  together: [['size']],
};
const V2: Bucket = { name: 'things', version: 2, index: { size: { type: 'number' }, name: { type: 'string' } } };

function things(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({ size: i === 7 ? '7' : null, name: `n${i}`, tags: ['t'] }));
}

test('a new version takes every object over, leaves the old tables behind and says what it could not index', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const warnings: object[] = [];
  const store = await openSqliteStore({ path, log: { warn: (fields) => warnings.push(fields) } });
  t.teardown(() => store.close());
  await store.open([V1]);
  await store.batch(things(1234).map((value, i) => ({ op: 'put', bucket: V1, key: `k${i}`, value })));
  await store.open([V2]);

  t.equal(await store.count(V2), 1234);
  t.equal(await store.count(V2, { op: 'eq', field: 'name', value: 'n1233' }), 1);
  t.equal(await store.count(V2, { op: 'exists', field: 'size' }), 0);
  t.match(warnings, [{ bucket: 'things', key: 'k7', field: 'size' }]);
  t.equal(warnings.length, 1);
  t.strictSame((await store.get(V2, 'k7'))?.value, { size: '7', name: 'n7', tags: ['t'] });

  const raw = new Database(path, { readonly: true });
  t.teardown(() => raw.close());
  t.strictSame(raw.prepare(`select name from sqlite_schema where name like 'things$1%'`).all(), []);
  t.strictSame(raw.prepare(`select idx from sqlite_stat1 where tbl like 'things$1%'`).all(), []);
  t.equal(raw.pragma('integrity_check', { simple: true }), 'ok');
});

test('several processes may raise the version at once while others read and write', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const stores = await Promise.all(Array.from({ length: 5 }, () => openSqliteStore({ path })));
  t.teardown(() => Promise.all(stores.map((store) => store.close())));
  const [first, reader, ...raisers] = stores;
  await first?.open([V1]);
  await reader?.open([V1]);
  await first?.batch(things(500).map((value, i) => ({ op: 'put', bucket: V1, key: `k${i}`, value })));
  const reads = Array.from({ length: 50 }, async (_, i) => {
    await reader?.batch([{ op: 'put', bucket: V1, key: `new${i}`, value: { name: 'new' } }]);
    t.ok(((await reader?.count(V1)) ?? 0) >= 500);
    t.equal((await reader?.get(V1, `k${i}`))?.key, `k${i}`);
  });
  await Promise.all([...reads, ...raisers.map((store) => store.open([V2]))]);
  for (const store of raisers) {
    t.equal(await store.count(V2), 550);
    t.equal(await store.count(V2, { op: 'eq', field: 'name', value: 'new' }), 50);
  }
});

test('other indexes under the same version are a mistake that is named', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.teardown(() => store.close());
  await store.open([V1]);
  await t.rejects(store.open([{ ...V2, version: 1 }]), { name: 'TypeError', message: 'things: version 1' });
  await store.open([{ ...V1, together: [['size', 'size']] }]);
});
