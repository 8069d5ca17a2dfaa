/** What `imgapiadm doctor` says of the databases and stores that a configuration names, whether or not a server runs. */
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Test, test } from 'tap';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { lookAtStores } from '#src/cli/imgapiadm/doctor/look-at-stores.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { MorayDouble } from '../../../../doubles/moray/server.ts';
import { MorayStorage } from '../../../../doubles/moray/storage.ts';
import { startS3Double } from '../../../../doubles/s3/server.ts';
import { postgresFor } from '../../../../engines/postgres/postgres-for.ts';
import { freePort } from '../../../../helpers/free-port.ts';
import { type ConfigKeys, configKeys, startInProcess, temporaryFolder } from '../../../../helpers/imgapi.ts';
import { waitFor } from '../../../../helpers/wait.ts';

async function seen(t: Test, keys: ConfigKeys) {
  const { accounts, ...given } = await configKeys(t.testdir(), keys);
  const { config } = await loadConfig(undefined, { ...given, ...(keys['ufds'] === undefined && { accounts }) });
  return lookAtStores(config);
}

test('what is down is named, with its address and the reason', async (t) => {
  const port = await freePort();
  const { findings } = await seen(t, {
    databaseType: 'postgres',
    postgres: { host: '127.0.0.1', port, user: 'imgapi', database: 'imgapi', password: 'secret' },
    storageTypes: ['local', 's3', 'manta'],
    s3: {
      ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', bucket: 'images' },
      ...{ accessKeyId: 'AKIA', secretAccessKey: 'secret' },
    },
    manta: {
      url: `http://127.0.0.1:${port}`,
      user: 'imgapi',
      key: '/key',
      keyId: Array(16).fill('aa').join(':'),
      baseDir: 'imgapi',
    },
    ufds: { url: `ldaps://127.0.0.1:${port}`, bindDN: 'cn=root', bindPassword: 'secret', base: 'ou=users, o=smartdc' },
  });
  t.equal(findings.length, 4);
  const problems = findings.map(({ problem }) => problem);
  const refused = 'cannot be used: .*ECONNREFUSED';
  t.match(problems[0], new RegExp(`^the database at 127.0.0.1:${port} ${refused}`));
  const away = `cannot be used: it cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`;
  t.equal(problems[1], `bucket images at http://127.0.0.1:${port} ${away}`);
  t.equal(problems[2], `Manta at http://127.0.0.1:${port} ${away}`);
  t.match(problems[3], new RegExp(`^the directory at 127.0.0.1:${port} ${refused}`));
  t.notMatch(JSON.stringify(findings), 'secret');
  for (const { part, mend } of findings) t.match({ part, mend }, { part: 'stores', mend: /^look at / });
});

test('one that says nothing is waited for some seconds, and no longer', async (t) => {
  const silent = createServer(() => undefined);
  const port = await new Promise<number>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port)),
  );
  t.teardown(() => silent.close());
  const { findings } = await seen(t, {
    databaseType: 'postgres',
    postgres: { host: '127.0.0.1', port, user: 'imgapi', database: 'imgapi' },
  });
  t.match(findings, [{ part: 'stores', problem: `the database at 127.0.0.1:${port} cannot be used: ` }]);
});

test('a clock that differs from that of the object store is told, and so is what is refused for it', async (t) => {
  const double = await startS3Double();
  t.teardown(() => double.close());
  const { endpoint, bucketName: bucket, credentials } = double;
  const keys = { storageTypes: ['local', 's3'], s3: { endpoint, region: 'us-east-1', bucket, ...credentials } };
  t.same(await seen(t, keys), { findings: [], notes: [] });
  double.clockAhead = 120_000;
  t.match((await seen(t, keys)).findings, [
    { part: 'clocks', problem: /^the clock of bucket images at http\S+ is 1(19|20|21) s ahead of this one$/ },
  ]);
  double.clockAhead = -1200_000;
  t.match((await seen(t, keys)).findings, [
    { part: 'clocks', problem: /is 1\d{3} s behind this one, and signatures are refused from 900 s on$/ },
  ]);
  double.clockAhead = 0;
  t.match((await seen(t, { ...keys, s3: { ...keys.s3, bucket: 'nosuch' } })).findings, [
    { part: 'stores', problem: /^bucket nosuch at .* cannot be used: .*does not exist/ },
  ]);
});

test('a database that is a standby is told, and one is noted that is read-only for what does not ask', async (t) => {
  const { keys, options, server } = await postgresFor(t);
  await server.query(`alter role ${options.user} set default_transaction_read_only = on`);
  const name = `the database at ${options.host}:${options.port}`;
  const noted = await seen(t, keys);
  t.same(noted.findings, []);
  t.match(noted.notes[0], /^default_transaction_read_only is on: documents are written all the same/);
  await server.query(`alter role ${options.user} reset default_transaction_read_only`);
  await server.standBy();
  const { findings } = await seen(t, keys);
  await server.query('select pg_promote()');
  t.match(findings, [
    { part: 'stores', problem: `${name} cannot be written to: it is a standby`, mend: /the primary/ },
  ]);
  t.same((await seen(t, keys)).findings, []);
});

test('a bucket that may be read and not written is told, and a look leaves nothing in it', async (t) => {
  const double = await startS3Double();
  t.teardown(() => double.close());
  const { endpoint, bucketName: bucket, credentials } = double;
  const keys = { storageTypes: ['s3'], s3: { endpoint, region: 'us-east-1', bucket, ...credentials } };
  t.same((await seen(t, keys)).findings, []);
  t.same([double.bucket.objects.size, double.bucket.uploads.size], [0, 0]);
  const denied = 'the credentials do not allow this in the bucket';
  for (const [operation, code, why] of [
    ['CreateMultipartUpload', 'AccessDenied', `${denied} (CreateMultipartUpload: 403 AccessDenied)`],
    ['DeleteObject', 'AccessDenied', `${denied} (DeleteObject: 403 AccessDenied)`],
    [
      'CreateMultipartUpload',
      'QuotaExceeded',
      'the store takes no more bytes (CreateMultipartUpload: 403 QuotaExceeded), as when a quota is used up',
    ],
  ] as const) {
    double.faults.plan(operation, { kind: 'answer', status: 403, code });
    const problem = `bucket ${bucket} at ${endpoint} cannot be used: it is read, and cannot be written: ${why}`;
    t.match((await seen(t, keys)).findings, [{ part: 'stores', problem, mend: /docs\/engines\/s3\.md/ }]);
  }
});

test('a database is looked at without being changed, and search indexes that are not there yet are a note', async (t) => {
  const { keys, options, server } = await postgresFor(t);
  const before = await seen(t, keys);
  t.same(before.findings, []);
  t.match(before.notes, [/^there is no search index in schema "place_\d+" yet .* read the whole table$/]);
  await server.query('create extension pg_trgm');
  t.teardown(() => server.query('drop extension pg_trgm cascade'));
  const names = { name: 'texts', version: 1, index: { name: { type: 'string', substrings: true } } } as const;
  const store = await openPostgresStore({ ...options, indexAfter: 0 });
  t.teardown(() => store.close());
  await store.open([names]);
  await waitFor('the indexes', async () => (await seen(t, keys)).notes.length === 0);
  for (const [kind, which] of [
    ['parts', 'with'],
    ['pairs', 'without'],
  ]) {
    const index = `"${options.schema}"."texts$1$$${kind}"`;
    const slow = `until then, searches for parts of texts ${which} three letters or digits in a row read the whole table`;
    const called = `the search index texts$1$$${kind} in schema "${options.schema}"`;
    await server.query('update pg_index set indisvalid = false where indexrelid = to_regclass($1)', [index]);
    t.same((await seen(t, keys)).notes, [`${called} is not finished: ${slow}`]);
    await server.query(`drop index ${index}`);
    t.same((await seen(t, keys)).notes, [`${called} is not there yet (a running server makes it): ${slow}`]);
    await server.query(`create index "texts$1$$${kind}" on "${options.schema}"."texts$1" (id)`);
  }
});

test("Moray's clock is that of its database, and a directory's is said not to be known", async (t) => {
  const clock = { now: () => Date.now() + 300_000 };
  const server = await new MorayDouble(new MorayStorage(clock)).start();
  t.teardown(() => server.stop());
  const silent = createServer(() => undefined);
  t.teardown(() => silent.close());
  const port = await new Promise<number>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port)),
  );
  const keys = {
    ...{ databaseType: 'moray', moray: { host: '127.0.0.1', port: server.port } },
    ufds: { url: `ldaps://127.0.0.1:${port}`, bindDN: 'cn=root', bindPassword: 'secret', base: 'ou=users, o=smartdc' },
  };
  const notes = [`the directory at 127.0.0.1:${port} does not tell the time, so its clock was not compared`];
  t.match(await seen(t, keys), {
    findings: [
      { part: 'clocks', problem: /^the clock of Moray at 127.0.0.1:\d+ is (299|300|301) s ahead of this one$/ },
    ],
    notes,
  });
  clock.now = Date.now;
  t.same(await seen(t, keys), { findings: [], notes });
  await server.stop();
  t.match((await seen(t, keys)).findings, [{ part: 'stores', problem: /^Moray at .* cannot be used: .*ECONNREFUSED/ }]);
});

test('the database of another datacenter is told from ours, behind PostgreSQL and behind Moray', async (t) => {
  const postgres = (await postgresFor(t)).keys;
  const server = await new MorayDouble(new MorayStorage({ now: Date.now })).start();
  t.teardown(() => server.stop());
  const moray = { databaseType: 'moray', moray: { host: '127.0.0.1', port: server.port } };
  for (const keys of [postgres, moray]) {
    const named = (datacenterName: string) => ({ ...keys, datacenterName });
    t.same((await seen(t, named('us-west'))).findings, [], 'nobody has used it');
    const dataDir = await temporaryFolder(t);
    const east = await startInProcess(t, named('us-east'), { dataDir });
    const problem = 'the documents are those of datacenter "us-east", not of "us-west"';
    t.match((await seen(t, named('us-west'))).findings, [{ part: 'stores', problem }]);
    t.same((await seen(t, named('us-east'))).findings, []);
    await t.rejects(startInProcess(t, named('us-west'), { dataDir }), { name: 'ConfigError' });
    await east.imgapi.close({ patience: 0 });
  }
});

test("SQLite's file is looked at whether or not a server has it open, and nothing of it changes", async (t) => {
  const dataDir = t.testdir();
  const file = join(dataDir, 'imgapi.db');
  const { config } = await loadConfig(undefined, await configKeys(dataDir));
  const notes = async () => {
    const { findings, notes } = await lookAtStores(config);
    t.same(findings, []);
    return notes;
  };
  t.same(await notes(), [], 'before the first start');
  const texts = { name: 'texts', version: 1, index: { name: { type: 'string', substrings: true } } } as const;
  const store = await openSqliteStore({ path: file });
  t.match(await notes(), [new RegExp(`^there is no search index in ${file} yet .* read the whole table$`)]);
  await store.open([texts]);
  t.same(await notes(), []);
  await store.close();
  const before = (await readdir(dataDir)).toSorted();
  t.same(await notes(), []);
  t.same((await readdir(dataDir)).toSorted(), before, 'no file is left of the look');
  const db = new Database(file);
  db.exec(`drop trigger "trigrams$insert$texts$1";
    create trigger "trigrams-building$insert$texts$1" after insert on "texts$1" begin select 1; end`);
  db.close();
  t.match(await notes(), ['the search index texts$1 is not finished: until then']);
  await writeFile(file, 'no database');
  t.match((await lookAtStores(config)).findings, [
    { part: 'stores', problem: new RegExp(`^the database ${file} cannot be used: file is not a database$`) },
  ]);
});
