/** Moray that is away, comes back, hangs, answers rubbish, or is silently unreachable. */
import Logger from 'bunyan';
import { type Test, test } from 'tap';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { morayDouble, rawClient } from '../../../doubles/moray/client.ts';
import { MorayError } from '../../../doubles/moray/errors.ts';
import type { MorayDouble } from '../../../doubles/moray/server.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { startTcpProxy, type TcpProxy } from '../../../helpers/tcp-proxy.ts';
import { waitFor } from '../../../helpers/wait.ts';

interface Thing {
  readonly name?: string;
  readonly code?: string;
}

const THINGS: Bucket<Thing> = {
  name: 'imgapi_things',
  version: 1,
  index: { name: { type: 'string' }, code: { type: 'string', unique: true } },
};
const NOTES: Bucket<object> = { name: 'imgapi_notes', version: 1, index: {} };
const PATIENCE = 1500;
const UNAVAILABLE = { name: 'StoreUnavailableError' };

interface Opened {
  readonly server: MorayDouble;
  readonly network: TcpProxy;
  readonly store: Store;
}

async function opened(t: Test, connections = 2): Promise<Opened> {
  const server = await morayDouble(t);
  const network = await startTcpProxy(server.port);
  t.teardown(() => network.close());
  const store = await openMorayStore({ host: '127.0.0.1', port: network.port, patience: PATIENCE, connections });
  t.teardown(() => store.close());
  await store.open([THINGS]);
  await put(store, 'a', { name: 'x' });
  return { server, network, store };
}

function put(store: Store, key: string, value: Thing, ifEtag?: string | null): Promise<string[]> {
  return store.batch([{ op: 'put', bucket: THINGS, key, value, ...(ifEtag !== undefined && { ifEtag }) }]);
}

function works(store: Store): Promise<boolean> {
  return put(store, 'b', {}).then(
    () => true,
    () => false,
  );
}

test('where nothing listens, opening fails in time', async (t) => {
  const start = performance.now();
  await t.rejects(openMorayStore({ host: '127.0.0.1', port: await freePort(), patience: 300 }), UNAVAILABLE);
  t.ok(performance.now() - start < 20_000);
});

test('while Moray restarts, calls wait for it; when it stays away they fail in time', async (t) => {
  const server = await morayDouble(t);
  const store = await openMorayStore({ host: '127.0.0.1', port: server.port, patience: PATIENCE });
  t.teardown(() => store.close());
  await store.open([THINGS]);
  await put(store, 'a', { name: 'x' });
  await server.stop();
  const start = performance.now();
  await t.rejects(store.ping(), UNAVAILABLE);
  await t.rejects(store.get(THINGS, 'a'), UNAVAILABLE);
  await t.rejects(put(store, 'd', {}), UNAVAILABLE);
  t.ok(performance.now() - start < 10 * PATIENCE);
  const waiting = [store.get(THINGS, 'a'), store.find(THINGS, {}), put(store, 'c', { name: 'later' })];
  await server.start();
  t.match(await Promise.all(waiting), [{ value: { name: 'x' } }, [{ key: 'a' }], [/./]]);
});

test('a connection that is cut fails a write, which may have happened, and repeats a read', async (t) => {
  const { server, store } = await opened(t);
  server.trouble = { kind: 'cut-after', methods: ['batch'] };
  await t.rejects(put(store, 'k', { name: 'done' }), { ...UNAVAILABLE, cause: /./ });
  server.trouble = { kind: 'none' };
  await waitFor('Moray', () => works(store));
  t.strictSame((await store.get(THINGS, 'k'))?.value, { name: 'done' });
  const asked = server.calls.length;
  server.trouble = { kind: 'cut-after', methods: ['getObject'] };
  const reading = store.get(THINGS, 'k');
  await waitFor('the first try', () => server.calls.length > asked);
  server.trouble = { kind: 'none' };
  t.strictSame((await reading)?.value, { name: 'done' });
});

test('a server that hangs: every call ends in time, or by its signal', async (t) => {
  const { server, store } = await opened(t);
  server.trouble = { kind: 'hang' };
  const reason = new Error('no longer');
  const leaving = new AbortController();
  const scan = t.rejects(store.find(THINGS, {}, { signal: leaving.signal }), reason);
  const count = t.rejects(store.count(THINGS, undefined, { signal: leaving.signal }), reason);
  leaving.abort(reason);
  await Promise.all([scan, count]);
  await Promise.all([
    t.rejects(store.get(THINGS, 'a'), UNAVAILABLE),
    t.rejects(store.getMany(THINGS, ['a']), UNAVAILABLE),
    t.rejects(put(store, 'a', {}), UNAVAILABLE),
    t.rejects(store.ping(), UNAVAILABLE),
  ]);
  server.trouble = { kind: 'none' };
  await waitFor('Moray', () => works(store));
});

test('connections that are silently dead are replaced', async (t) => {
  const { network, server, store } = await opened(t, 3);
  network.trouble = { kind: 'stall', after: 0 };
  await t.rejects(store.get(THINGS, 'a'), UNAVAILABLE);
  network.trouble = { kind: 'none' };
  // Nothing passes on the old ones any more, nor are they closed.
  await waitFor('a new connection', () =>
    store.get(THINGS, 'a').then(
      () => true,
      () => false,
    ),
  );
  const start = performance.now();
  for (let i = 0; i < 20; i += 1) await store.get(THINGS, 'a').catch(() => undefined);
  t.ok(performance.now() - start < 20 * PATIENCE);
  await waitFor('all of them to answer', async () => {
    const began = performance.now();
    await Promise.allSettled(Array.from({ length: 12 }, () => store.get(THINGS, 'a')));
    return performance.now() - began < PATIENCE;
  });
  t.ok(server.connections <= 6);
});

test('answers that are damaged on their way fail a call, not the process', async (t) => {
  const { network, store } = await opened(t, 1);
  network.trouble = { kind: 'flip', at: 20 };
  await put(store, 'flipped', {}).catch((error: unknown) => t.match(error, UNAVAILABLE));
  network.trouble = { kind: 'none' };
  await waitFor('Moray', () => works(store));
  t.strictSame((await store.get(THINGS, 'a'))?.value, { name: 'x' });
});

test('what Moray’s database refuses has its meaning', async (t) => {
  const { server, store } = await opened(t);
  const refusing = (message: string, name = 'error'): void => {
    server.trouble = { kind: 'fail', error: new MorayError(name, message), methods: ['batch', 'findObjects'] };
  };
  refusing('could not extend file "base/1/2": No space left on device');
  await t.rejects(put(store, 'a', {}), { name: 'StoreFullError' });
  refusing('index row size 3000 exceeds btree version 4 maximum 2704 for index "imgapi_things_name_idx"');
  await t.rejects(put(store, 'a', {}), { name: 'InvalidValueError' });
  refusing('canceling statement due to statement timeout', 'QueryTimeoutError');
  await t.rejects(store.find(THINGS, {}), UNAVAILABLE);
  server.trouble = { kind: 'none' };
  await put(store, 'one', { code: 'c' });
  await t.rejects(put(store, 'two', { code: 'c' }), {
    name: 'UniqueAttributeError',
    bucket: THINGS.name,
    field: 'code',
  });
});

test('a create that lost a race is a conflict; a blind write that lost one is written again', async (t) => {
  const { server, store } = await opened(t);
  const race = new MorayError('UniqueAttributeError', '_key is a unique attribute', { attribute: '_key', value: 'a' });
  server.trouble = { kind: 'fail', error: race, methods: ['batch'] };
  const [etag] = [(await store.get(THINGS, 'a'))?.etag];
  await t.rejects(put(store, 'a', {}, null), { name: 'EtagConflictError', key: 'a', expected: null, actual: etag });
  const blind = put(store, 'a', { name: 'blind' });
  const asked = server.calls.length;
  await waitFor('a second try', () => server.calls.length > asked + 1);
  server.trouble = { kind: 'none' };
  await blind;
  t.strictSame((await store.get(THINGS, 'a'))?.value, { name: 'blind' });
});

test('a blind write that lost a race is written again beside one of the same key in another bucket', async (t) => {
  const { server, store } = await opened(t);
  await store.open([NOTES]);
  const race = new MorayError('UniqueAttributeError', '_key is a unique attribute', { attribute: '_key', value: 'a' });
  server.trouble = { kind: 'fail', error: race, methods: ['batch'] };
  const ifEtag = (await store.get(THINGS, 'a'))?.etag ?? null;
  const asked = server.calls.length;
  const written = store.batch([
    { op: 'put', bucket: THINGS, key: 'a', value: { name: 'changed' }, ifEtag },
    { op: 'put', bucket: NOTES, key: 'a', value: {} },
  ]);
  written.catch(() => undefined);
  await waitFor('a second try', () => server.calls.length > asked + 1);
  server.trouble = { kind: 'none' };
  await written;
  t.strictSame((await store.get(THINGS, 'a'))?.value, { name: 'changed' });
});

test('an etag that has been current once is never accepted again', async (t) => {
  const { store } = await opened(t);
  const [one = ''] = await put(store, 'aba', { name: '1' });
  await put(store, 'aba', { name: '2' });
  const [again] = await put(store, 'aba', { name: '1' });
  t.not(again, one);
  await t.rejects(put(store, 'aba', { name: '3' }, one), { name: 'EtagConflictError' });
});

test('no value changes the meaning of a filter, and none breaks it', async (t) => {
  const { store, server } = await opened(t);
  const odd = ['*', ')(name=*', '\\', '\\29', 'a=b', '(', '|(name=*)', '%', '_', "'; drop table x; --", ' ', 'ü☃𝄞'];
  await store.batch(odd.map((name, i) => ({ op: 'put', bucket: THINGS, key: `odd${i}`, value: { name } })));
  for (const [i, name] of odd.entries()) {
    const found = await store.find(THINGS, { filter: { op: 'eq', field: 'name', value: name } });
    t.strictSame(
      found.map(({ key }) => key),
      [`odd${i}`],
      name,
    );
    t.ok((await store.find(THINGS, { filter: { op: 'substring', field: 'name', value: name } })).length > 0, name);
  }
  const today = await rawClient(t, server);
  t.equal((await today.find('imgapi_things', '(_id>=0)')).length, odd.length + 1);
});

test('the log says nothing of what documents hold', async (t) => {
  const server = await morayDouble(t);
  const lines: string[] = [];
  const log = new Logger({
    name: 'test',
    level: 'trace',
    stream: { write: (line: string) => lines.push(line) } as never,
  });
  const store = await openMorayStore({ host: '127.0.0.1', port: server.port, log });
  await store.open([THINGS]);
  await put(store, 'secret-key', { name: 'secret-name' });
  await store.get(THINGS, 'secret-key');
  await store.find(THINGS, { filter: { op: 'eq', field: 'name', value: 'secret-name' } });
  await store.close();
  t.notMatch(lines.join(''), /secret/);
});
