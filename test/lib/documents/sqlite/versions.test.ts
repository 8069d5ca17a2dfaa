import { join } from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { waitFor } from '../../../helpers/wait.ts';

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

test('a version that only adds what few have keeps the rows where they are, and looks into few documents', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const store = await openSqliteStore({ path, indexAfter: 0 });
  t.teardown(() => store.close());
  const name = { type: 'string', substrings: true } as const;
  const before = { ...V1, index: { ...V1.index, name } };
  await store.open([before]);
  const values = things(3000).map((value, i) => ({ ...value, ...(i % 1000 === 5 && { gone: `at ${i}` }) }));
  await store.batch(values.map((value, i) => ({ op: 'put', bucket: before, key: `k${i}`, value })));
  const raw = new Database(path, { readonly: true });
  t.teardown(() => raw.close());
  const pageOf = (table: string) => raw.prepare('select rootpage from sqlite_schema where name = ?').pluck().get(table);
  const pages = ['things$1', 'things$1$$values', 'things$1$tags'].map(pageOf);

  const index = { ...before.index, gone: { type: 'string', sparse: true } } as const;
  const after: Bucket = { ...before, version: 2, index, together: [['size'], ['gone', 'name']] };
  await store.open([after]);
  t.strictSame(['things$2', 'things$2$$values', 'things$2$tags'].map(pageOf), pages);
  t.strictSame(
    raw
      .prepare(
        `select name from sqlite_schema where type = 'table' and name like 'things$1%' and name not like '%trigrams%'`,
      )
      .all(),
    [],
  );
  const gone = { op: 'exists', field: 'gone' } as const;
  const found = await store.find(after, { filter: gone, sort: { field: 'name', order: 'asc' }, limit: 5 });
  t.strictSame(
    found.map(({ key }) => key),
    ['k1005', 'k2005', 'k5'],
  );
  const triggers = raw.prepare(
    `select name from sqlite_schema where type = 'trigger' and tbl_name = 'things$2' and name like 'touched$%'`,
  );
  t.equal(triggers.all().length, 3, 'writes are noted once');
  t.strictSame(raw.prepare(`select distinct tbl from sqlite_stat1 where tbl like 'things$1%'`).all(), []);
  const whole = raw.prepare(`select 1 from sqlite_schema where type = 'trigger' and name = 'trigrams$insert$things$2'`);
  await waitFor('an index of parts of texts', () => whole.get());
  const part = { op: 'substring', field: 'name', value: 'n2999' } as const;
  t.strictSame(
    (await store.find(after, { filter: part, limit: 5 })).map(({ key }) => key),
    ['k2999'],
  );
  t.equal(raw.pragma('integrity_check', { simple: true }), 'ok');
});

test('other indexes under the same version are a mistake that is named', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.teardown(() => store.close());
  await store.open([V1]);
  await t.rejects(store.open([{ ...V2, version: 1 }]), { name: 'TypeError', message: 'things: version 1' });
  await store.open([{ ...V1, together: [['size', 'size']] }]);
});
