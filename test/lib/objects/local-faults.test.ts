/** What goes wrong below the store, and what it keeps for itself. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, truncateSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type Test, test } from 'tap';
import {
  HashingError,
  InvalidPathError,
  ObjectStoreUnavailableError,
  ObjectTruncatedError,
} from '#lib/objects/errors.ts';
import { HashPool } from '#lib/objects/hashing/pool.ts';
import { type LocalStoreOptions, openLocalStore } from '#lib/objects/local/store.ts';
import { hashStored, openStored } from '#lib/objects/local/stored-file.ts';
import { newProcessName } from '#lib/runtime/process-name.ts';
import {
  bytes,
  collect,
  get,
  hashesOf,
  MIB,
  pieces,
  put,
  same,
  sessionName,
} from '../../conformance/objects/harness.ts';
import { breakableDisk } from '../../helpers/broken-disk.ts';
import { cannotCountFiles, openFiles } from '../../helpers/open-files.ts';
import { waitFor } from '../../helpers/wait.ts';

async function makeStore(t: Test, options: Pick<LocalStoreOptions, 'hashing'> = {}) {
  const root = t.testdir();
  const store = await openLocalStore({ root, ...options });
  t.teardown(() => store.close());
  return { root, store };
}

test('a reader that was promised more bytes than come is told', async (t) => {
  const { root, store } = await makeStore(t);
  await put(store, 'x', bytes(8 * MIB));
  const { stream } = await store.read('x');
  truncateSync(join(root, 'x'), 5 * MIB);
  const cut = { name: 'ObjectTruncatedError', message: /ended after \d+ of 8388608 bytes/ };
  await t.rejects(collect(stream), cut);
  t.ok(stream.destroyed);
});

test('an object that shrinks while it is hashed has no hashes', async (t) => {
  const { root, store } = await makeStore(t);
  await put(store, 'x', bytes(3 * MIB));
  const pool = new HashPool();
  const stored = await openStored('x', join(root, 'x'));
  t.teardown(() => Promise.all([stored.handle.close(), pool.close()]));
  truncateSync(join(root, 'x'), 2 * MIB);
  await t.rejects(hashStored(stored, pool.open()), ObjectTruncatedError);
});

test('a hashing thread that dies fails the sessions it served, and no others', async (t) => {
  const { store } = await makeStore(t, { hashing: { inThreads: true } });
  const workers: Worker[] = [];
  const onWorker = (worker: Worker) => workers.push(worker);
  process.on('worker', onWorker);
  t.teardown(() => process.off('worker', onWorker));
  const whole = bytes(3 * MIB);
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(whole));
  t.ok(workers.length > 0, 'large objects are hashed in threads');
  for (const worker of workers) {
    const ended = once(worker, 'exit');
    await worker.terminate();
    await ended;
  }
  await t.rejects(session.hashes(), HashingError);
  await t.rejects(session.append(pieces(whole)), HashingError);
  await session.close();
  const next = await store.open({ path: 'x', session: sessionName(), takeOver: { session: session.session } });
  t.strictSame(await next.hashes(), hashesOf(whole.subarray(0, next.size)));
  await next.commit();
  await store.discard(session.session);
  t.strictSame(await store.sessions(), []);
});

test('small objects start no thread', async (t) => {
  const { store } = await makeStore(t, { hashing: { inThreads: true } });
  let started = 0;
  const onWorker = () => {
    started += 1;
  };
  process.on('worker', onWorker);
  t.teardown(() => process.off('worker', onWorker));
  await put(store, 'x', bytes(120_000));
  t.strictSame(await store.hash('x'), { ...hashesOf(bytes(120_000)), size: 120_000 });
  t.equal(started, 0);
});

test('closing the store ends its sessions and keeps what they staged', async (t) => {
  const { root, store } = await makeStore(t);
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(2 * MIB)));
  await store.close();
  await t.rejects(session.append(pieces(bytes(1))), { name: 'SessionStateError' });
  const other = await openLocalStore({ root });
  t.teardown(() => other.close());
  t.match(await other.sessions(), [{ session: session.session, size: 2 * MIB }]);
});

test('what the store keeps for itself is no object', async (t) => {
  const { root, store } = await makeStore(t);
  await store.identity();
  for (const path of ['staging', 'staging/x', 'identity', 'identity/x']) {
    await t.rejects(store.info(path), InvalidPathError, path);
    await t.rejects(store.removeTree(path), InvalidPathError, path);
    await t.rejects(store.open({ path, session: sessionName() }), InvalidPathError, path);
  }
  t.strictSame(readdirSync(root).sort(), ['identity', 'staging']);
  await put(store, 'a/staging', bytes(1));
  same(t, await get(store, 'a/staging'), bytes(1), 'deeper down they are names like others');
});

test('temporary names of a dead process go after an hour, staged bytes never', async (t) => {
  const { root, store } = await makeStore(t);
  const session = await store.open({ path: 'x', session: 'kept' });
  await session.close();
  const leftover = join(root, 'staging', '~leftover');
  writeFileSync(leftover, 'x');
  t.match(await store.sessions(), [{ session: 'kept' }]);
  t.equal((await store.sessions()).length, 1);
  const openLater = async (seconds: number) => {
    const later = await openLocalStore({ root, clock: { now: () => Date.now() + seconds * 1000 } });
    await later.close();
  };
  await openLater(3500);
  t.ok(existsSync(leftover));
  await openLater(3700);
  t.notOk(existsSync(leftover));
  t.match(await store.sessions(), [{ session: 'kept' }]);
});

test('those of a process that has died on this host go at once', { skip: process.platform !== 'linux' }, async (t) => {
  const { root, store } = await makeStore(t);
  const staging = join(root, 'staging');
  const living = newProcessName();
  // The one before this process that had its id.
  const dead = living.replace(/^(\d+)\.(\d+)/, (_, pid, start) => `${pid}.${Number(start) - 1}`);
  for (const name of [living, dead]) {
    mkdirSync(join(staging, `~${name}.x`));
    writeFileSync(join(staging, `~${name}.x`, 'file0'), 'x');
  }
  t.match(await store.leftovers(), [{ session: `~${dead}.x`, size: 1 }]);
  const next = await openLocalStore({ root });
  await next.close();
  t.same(readdirSync(staging), [`~${living}.x`]);
});

test('a tree that is being removed has a name that tells who removes it', async (t) => {
  const { root, store } = await makeStore(t);
  await put(store, 'a/x', bytes(1));
  const names: (string | null)[] = [];
  const watcher = watch(join(root, 'staging'), (_, name) => names.push(name));
  await store.removeTree('a');
  await waitFor('the name', () => names.some((name) => name?.startsWith(`~${process.pid}.`)));
  watcher.close();
});

test('files serve no URLs of their own', async (t) => {
  const { store } = await makeStore(t);
  t.equal(store.capabilities.supportsSignedUrl, false);
  await t.rejects(store.signUrl('x', new Date()), { name: 'UnsupportedError', message: /has no server of its own/ });
  t.equal(store.name, 'local');
});

test('a session that cannot be discarded, because the disk takes no writes, keeps no file open', {
  skip: cannotCountFiles,
}, async (t) => {
  const disk = breakableDisk(t);
  if (!disk) return;
  const store = await openLocalStore({ root: disk.folder });
  t.teardown(() => store.close());
  const whole = bytes(MIB);
  const one = await store.open({ path: 'x', session: sessionName() });
  await one.append(pieces(whole));
  const other = await store.openPieces({ path: 'y', session: sessionName(), size: whole.length });
  await other.piece(0, whole.length).write(pieces(whole));
  disk.break();
  for (const session of [one, other]) await t.rejects(session.discard(), ObjectStoreUnavailableError);
  t.strictSame(await openFiles(disk.folder), []);
});
