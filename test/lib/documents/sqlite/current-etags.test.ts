import { test } from 'tap';
import { Layout } from '#lib/documents/sql/layout.ts';
import { Tables } from '#lib/documents/sql/tables.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { CurrentEtags } from '#lib/documents/sqlite/current-etags.ts';
import { sqliteDialect } from '#lib/documents/sqlite/dialect.ts';
import { COUNTERS, openCounters } from './fixture.ts';

test('an etag is looked up once, and again after a write of this process or another', async (t) => {
  const { path, store } = await openCounters(t);
  const connection = new Connection(path);
  t.teardown(() => connection.close());
  const tables = new Tables(new Layout(COUNTERS, sqliteDialect.identifier), sqliteDialect);
  const etags = new CurrentEtags(connection);
  let looked = 0;
  const get = (etag: string | undefined, key = 'a') =>
    etags.get(
      tables,
      key,
      () => {
        looked += 1;
        return etag;
      },
      (found) => found !== 'of no use',
    );
  t.equal(get(undefined), undefined);
  t.equal(get('1'), '1', 'what was not there is looked up each time');
  t.equal(get('not asked for'), '1');
  t.equal(looked, 2);

  await store.batch([{ op: 'put', bucket: COUNTERS, key: 'b', value: { count: 1 } }]);
  t.equal(get('2'), '2', 'another connection has written');
  t.equal(get('not asked for'), '2');

  tables.writes += 1;
  t.equal(get('3'), '3', 'this one has written');
  t.equal(looked, 4);
  for (let i = 0; i < 2; i += 1) t.equal(get('of no use', 'b'), 'of no use');
  t.equal(looked, 6, 'what is of no use is not kept');

  for (let i = 0; i < 20_000; i += 1) get('x', `k${i}`);
  t.equal(get('4'), '4', 'the oldest are forgotten');
});
