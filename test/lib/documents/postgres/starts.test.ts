/** Many processes start at once, on an empty schema and on an older one; and what an operator got wrong. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { examineDatabase } from '#lib/documents/postgres/examine.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { postgresFor } from '../../../engines/postgres/postgres-for.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { COUNTERS, type Counter, openStore, put } from './fixture.ts';

const STORES = 20;
const OBJECTS = 1200;
const NEXT: Bucket<Counter> = { ...COUNTERS, version: 2, index: { ...COUNTERS.index, note: { type: 'string' } } };
const UNAVAILABLE = { name: 'StoreUnavailableError' };

test('twenty open an empty schema at once: each can write and read at once', async (t) => {
  const { options } = await postgresFor(t);
  const stores = await Promise.all(Array.from({ length: STORES }, () => openStore(t, { ...options, poolSize: 2 })));
  await Promise.all(stores.map((store, i) => put(store, `k${i}`, i)));
  for (const store of stores) t.equal(await store.count(COUNTERS), STORES);
});

test('twenty raise the version at once, while an older one goes on: one does it, none fails, nothing is lost', async (t) => {
  const { options, server } = await postgresFor(t);
  const older = await openStore(t, options);
  await older.batch(
    Array.from({ length: OBJECTS }, (_, i) => ({
      op: 'put',
      bucket: COUNTERS,
      key: `old${i}`,
      value: { count: i, note: 'n' },
    })),
  );
  let isOver = false;
  let written = 0;
  const writing = (async () => {
    for (; !isOver; written += 1) {
      await older.batch([{ op: 'put', bucket: COUNTERS, key: `new${written}`, value: { count: 0, note: 'n' } }]);
    }
  })();
  const stores: Store[] = await Promise.all(
    Array.from({ length: STORES }, () => openStore(t, { ...options, poolSize: 2 }, [NEXT])),
  );
  isOver = true;
  await writing;
  t.ok(written > 0);
  for (const store of stores) {
    t.equal(await store.count(NEXT, { op: 'eq', field: 'note', value: 'n' }), OBJECTS + written);
  }
  t.equal(await older.count(COUNTERS), OBJECTS + written);
  const tables = await server.query(
    "select tablename from pg_tables where schemaname = $1 and tablename like 'counters$%' order by 1",
    [options.schema],
  );
  t.strictSame(
    tables.map(({ tablename }) => tablename),
    ['counters$2', 'counters$2$$values'],
  );
});

test('a schema that is not there is made, if that is allowed', async (t) => {
  const { options, server } = await postgresFor(t);
  const schema = `${options.schema}_made`;
  await t.rejects(openStore(t, { ...options, schema }), { ...UNAVAILABLE, message: /permission denied for database/ });
  const store = await openStore(t, { ...options, schema, user: 'postgres' });
  await put(store, 'a', 1);
  await store.close();
  await server.query(`drop schema ${schema} cascade`);
});

test('what is wrong with the settings is said', async (t) => {
  const { options, server } = await postgresFor(t);
  const less = { ...options, connectMs: 500, patienceMs: 100 };
  await t.rejects(openPostgresStore({ ...less, database: 'nowhere' }), {
    ...UNAVAILABLE,
    message: /database "nowhere" does not exist/,
  });
  await t.rejects(openPostgresStore({ ...less, user: 'nobody' }), {
    ...UNAVAILABLE,
    message: /role "nobody" does not exist/,
  });
  await t.rejects(openPostgresStore({ ...less, port: 1 }), { ...UNAVAILABLE, message: /ECONNREFUSED/ });
  await t.rejects(openPostgresStore({ ...less, tls: {} }), { ...UNAVAILABLE, message: /does not support SSL/ });
  const name = `${options.schema}_ascii`;
  await server.query(`create database ${name} encoding 'SQL_ASCII' template template0`);
  await t.rejects(openStore(t, { ...less, user: 'postgres', database: name }), {
    ...UNAVAILABLE,
    message: /the encoding of the database is SQL_ASCII, and must be UTF8/,
  });
  await server.query(`drop database ${name} with (force)`);
});

test('a password that is missing is said to be missing, and at once', async (t) => {
  const { options, server } = await postgresFor(t);
  const user = `${options.schema}_asked`;
  await server.query(`create role ${user} login password 'secret'`);
  const rules = join(server.socketFolder, 'data', 'pg_hba.conf');
  const before = await readFile(rules, 'utf8');
  t.teardown(() => writeFile(rules, before));
  await writeFile(rules, `host all ${user} all scram-sha-256\n${before}`);
  await server.query('select pg_reload_conf()');
  await waitFor('the rule to count', async () => {
    const [row] = await server.query('select count(*)::int as n from pg_hba_file_rules where $1 = any(user_name)', [
      user,
    ]);
    return row?.['n'] === 1;
  });
  const start = performance.now();
  const { password: _, ...unasked } = options;
  const missing = { ...UNAVAILABLE, message: 'the database asks for a password, and none is given' };
  for (const given of [{}, { password: '' }]) {
    const asked = { ...unasked, ...given, user, patienceMs: 60_000 };
    await t.rejects(openPostgresStore(asked), missing);
    await t.rejects(examineDatabase(asked, 5000), missing);
  }
  t.ok(performance.now() - start < 30_000);
});

test('a standby does not pass for a database that works, nor one for down that is read-only only unless asked', async (t) => {
  const { options, server } = await postgresFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  await store.ping();
  await server.query(`alter role ${options.user} set default_transaction_read_only = on`);
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [options.user]);
  await t.resolves(put(store, 'a', 1), 'a batch asks for what it needs');
  await t.resolves(store.ping());
  await server.standBy();
  const start = performance.now();
  await t.rejects(store.ping(), { ...UNAVAILABLE, message: /cannot be written to/ });
  t.ok(performance.now() - start < 2000, 'at once, however patient the store is');
  await server.query('select pg_promote()');
  await waitFor('the primary', () =>
    store.ping().then(
      () => true,
      () => false,
    ),
  );
});
