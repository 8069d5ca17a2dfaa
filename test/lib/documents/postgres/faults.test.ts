/** A database that goes away, hangs, or loses answers: what was acknowledged is there once, and nobody waits for ever. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Client } from 'pg';
import { test } from 'tap';
import { StoreMovedError } from '#lib/documents/moving/moved.ts';
import { postgresFence } from '#lib/documents/postgres/fence.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { postgresKinds } from '../../../engines/postgres/postgres-for.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { COUNTERS, countThrough, openProxied, openStore, put } from './fixture.ts';

const kind = postgresKinds.npm;
/** The whole statement, as it is sent. */
const COMMIT = 'commit\0';
const UNAVAILABLE = { name: 'StoreUnavailableError' };
/** The longest that a call may take in these tests before it fails, if each step takes its full time. */
const BOUND_MS = 15_000;

test('the server restarts while many count: no call fails, and none counts twice', async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  const counted = await countThrough(store, 600, async () => {
    for (const how of ['fast', 'immediate'] as const) {
      await waitFor('some counting', async () => ((await store.get(COUNTERS, 'shared'))?.value.count ?? 0) > 20);
      await server.stop(how);
      await server.start();
    }
  });
  t.equal(counted, 600);
});

test('writes that meet a standby wait for a primary, each on a new connection, which may lead to another server', async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  await put(store, 'a', 1);
  await server.standBy();
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 1);
  const connections = async () => {
    const rows = await server.query('select pid from pg_stat_activity where usename = $1', [options.user]);
    return rows.map(({ pid }) => Number(pid));
  };
  const [first] = await connections();
  t.ok(first);
  const writing = put(store, 'a', 2);
  await waitFor('the connection to be given up', async () => !(await connections()).includes(first ?? 0));
  await server.query('select pg_promote()');
  await writing;
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 2);
});

test('connections are ended at the server while many count: no call fails, and none counts twice', async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  let ended = 0;
  const counted = await countThrough(store, 300, async () => {
    for (let i = 0; i < 15; i += 1) {
      const rows = await server.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
        options.user,
      ]);
      ended += rows.length;
    }
  });
  t.equal(counted, 300);
  t.ok(ended > 15, `${ended} were ended`);
});

test('a connection that is silently dead is given up in time, and the call goes on over another', async (t) => {
  const { proxy, store, direct } = await openProxied(t, kind, { statementMs: 500 });
  await put(store, 'a', 1);
  proxy.silence();
  const start = performance.now();
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 1);
  await put(store, 'a', 2);
  t.ok(performance.now() - start < BOUND_MS);
  t.equal((await direct.get(COUNTERS, 'a'))?.value.count, 2);
});

test('a network that swallows everything is an error in time, and none once it is back', async (t) => {
  const less = { statementMs: 300, connectMs: 300, patienceMs: 1000 };
  const { proxy, store } = await openProxied(t, kind, less);
  await put(store, 'a', 1);
  proxy.trouble = { kind: 'silent' };
  const calls = [
    store.get(COUNTERS, 'a'),
    store.getMany(COUNTERS, ['a']),
    store.find(COUNTERS, {}),
    store.count(COUNTERS),
    put(store, 'a', 2),
    store.ping(),
    store.open([COUNTERS]),
  ];
  const start = performance.now();
  for (const call of await Promise.allSettled(calls)) t.match(call, { status: 'rejected', reason: UNAVAILABLE });
  t.ok(performance.now() - start < BOUND_MS);
  proxy.trouble = { kind: 'none' };
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 1);
  await store.ping();
});

test('a server that hangs is an error in time', async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, statementMs: 300, connectMs: 300, patienceMs: 600 });
  await put(store, 'a', 1);
  await server.signal('SIGSTOP');
  try {
    await t.rejects(store.get(COUNTERS, 'a'), UNAVAILABLE);
    await t.rejects(put(store, 'a', 2), UNAVAILABLE);
  } finally {
    await server.signal('SIGCONT');
  }
  await waitFor('an answer', () =>
    store.get(COUNTERS, 'a').then(
      (stored) => stored?.value.count === 1,
      () => false,
    ),
  );
});

test('what answers garbage is no database', async (t) => {
  const liar = createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  }).listen(0, '127.0.0.1');
  await once(liar, 'listening');
  t.teardown(() => liar.close());
  const { options } = await kind.placeFor(t);
  const { port } = liar.address() as AddressInfo;
  const start = performance.now();
  await t.rejects(openPostgresStore({ ...options, port, connectMs: 500, patienceMs: 500 }), UNAVAILABLE);
  t.ok(performance.now() - start < BOUND_MS);
});

test('a commit whose answer is lost is found to have happened; one that never arrived is made again', async (t) => {
  const { proxy, store, direct } = await openProxied(t, kind);
  for (const what of ['answer', 'request'] as const) {
    const [before = ''] = await put(store, what, 1, `${what}-1`);
    proxy.trouble = { kind: 'lose', request: COMMIT, ...(what === 'answer' && { answer: 'COMMIT' }) };
    const write = { op: 'put', bucket: COUNTERS, key: what, value: { count: 2, code: `${what}-2` } } as const;
    const [etag] = await store.batch([{ ...write, ifEtag: before }]);
    t.equal(proxy.trouble.kind, 'none', `the ${what} was lost`);
    t.match(await direct.get(COUNTERS, what), { value: { count: 2 }, etag });
  }
});

test('a fence whose answer is lost is found to stand, and only by who raised it', async (t) => {
  const { place, proxy, direct } = await openProxied(t, kind);
  const fence = postgresFence({ ...place.options, port: proxy.port });
  const until = (await fence.now()) + 60_000;
  const moved = { nonce: 'a', to: 'local', epoch: 1, state: 'moving', worker: 'w', until, length: 60_000 } as const;
  proxy.trouble = { kind: 'lose', request: COMMIT, answer: 'COMMIT' };
  t.equal(await fence.raise(moved), true);
  t.equal(proxy.trouble.kind, 'none', 'the answer was lost');
  t.equal(await fence.raise({ ...moved, worker: 'x' }), false);
  await t.rejects(direct.count(COUNTERS), StoreMovedError);
  t.equal(await fence.lift(moved), true);
  t.equal(await direct.count(COUNTERS), 0);
});

test('a commit of which nothing can be found out is reported, and not made again', async (t) => {
  const { proxy, store, direct } = await openProxied(t, kind, { patienceMs: 500 });
  await put(store, 'a', 1);
  proxy.trouble = { kind: 'lose', request: COMMIT, answer: 'COMMIT', next: { kind: 'refuse' } };
  await t.rejects(put(store, 'a', 2), {
    ...UNAVAILABLE,
    message: /whether the document store has written the batch is not known/,
  });
  t.equal((await direct.get(COUNTERS, 'a'))?.value.count, 2);
});

test('the locks of a process that vanished in the middle of a batch are released', async (t) => {
  const { place, proxy, store, direct } = await openProxied(t, kind, { statementMs: 1000, patienceMs: 500 });
  await direct.batch(['a', 'b'].map((key) => ({ op: 'put', bucket: COUNTERS, key, value: { count: 1 } })));
  const holder = new Client({ ...place.options, user: 'postgres' });
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query('begin');
  await holder.query(`select 1 from ${place.options.schema}."counters$1" where key = 'b' for update`);
  const both = store.batch(['a', 'b'].map((key) => ({ op: 'put', bucket: COUNTERS, key, value: { count: 2 } })));
  const failed = t.rejects(both, UNAVAILABLE);
  await waitFor('it to hold one and wait for the other', async () => {
    const [row] = await place.server.query('select count(*)::int as n from pg_locks where not granted');
    return row?.['n'] === 1;
  });
  proxy.trouble = { kind: 'silent' };
  await holder.query('commit');
  const start = performance.now();
  await put(direct, 'a', 3);
  t.ok(performance.now() - start < BOUND_MS);
  await failed;
});

test('a deadlock ends with one of both made again', async (t) => {
  const { options, server } = await kind.placeFor(t);
  // Ours looks for deadlocks once, when the other has closed the circle; the other never does.
  await server.query(`alter role ${options.user} set deadlock_timeout = '1s'`);
  const store = await openStore(t, options);
  await store.batch(['a', 'b'].map((key) => ({ op: 'put', bucket: COUNTERS, key, value: { count: 1 } })));
  const other = new Client({ ...options, user: 'postgres' });
  await other.connect();
  t.teardown(() => other.end());
  const lock = (key: string) =>
    other.query(`select 1 from ${options.schema}."counters$1" where key = '${key}' for update`);
  await other.query("set deadlock_timeout = '60s'");
  await other.query('begin');
  await lock('b');
  const writing = store.batch(['b', 'a'].map((key) => ({ op: 'put', bucket: COUNTERS, key, value: { count: 2 } })));
  await waitFor('the batch to wait', async () => {
    const [row] = await server.query('select count(*)::int as n from pg_locks where not granted');
    return row?.['n'] === 1;
  });
  await lock('a');
  await other.query('commit');
  await writing;
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 2);
  const [row] = await server.query("select deadlocks::int as n from pg_stat_database where datname = 'postgres'");
  t.ok(Number(row?.['n']) >= 1, 'there was one');
});

test('an abort ends the search at the server too', async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, options);
  await put(store, 'a', 1);
  const holder = new Client({ ...options, user: 'postgres' });
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query('begin');
  await holder.query(`lock table ${options.schema}."counters$1" in access exclusive mode`);
  const active = async () => {
    const [row] = await server.query(
      "select count(*)::int as n from pg_stat_activity where usename = $1 and state = 'active'",
      [options.user],
    );
    return Number(row?.['n']);
  };
  const leaving = new AbortController();
  const reason = new Error('no longer wanted');
  const counting = t.rejects(store.count(COUNTERS, undefined, { signal: leaving.signal }), reason);
  const finding = t.rejects(store.find(COUNTERS, {}, { signal: leaving.signal }), reason);
  await waitFor('both to be under way', async () => (await active()) === 2);
  leaving.abort(reason);
  await Promise.all([counting, finding]);
  await waitFor('both to end', async () => (await active()) === 0);
  await holder.query('commit');
  t.equal(await store.count(COUNTERS), 1, 'the connections are as good as before');
});
