/** Who may write how much. */
import { type Test, test } from 'tap';
import { InsufficientStorageError } from '#lib/objects/errors.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { bytes, get, hashesOf, KIB, MIB, pieces, put, same, sessionName } from '../../conformance/objects/harness.ts';
import { openFiles, cannotCountFiles as skip } from '../../helpers/open-files.ts';
import { bytesFree, smallDisk } from '../../helpers/small-disk.ts';

const QUOTA = 10 * MIB;

async function makeStore(t: Test, options: { root?: string; quota?: number; now?: () => number } = {}) {
  const { root = t.testdir(), quota = QUOTA, now = Date.now } = options;
  const store = await openLocalStore({ root, quota, clock: { now } });
  t.teardown(() => store.close());
  return { root, store };
}

async function stage(store: ObjectStore, length: number, expect?: number) {
  const session = await store.open({ path: 'x', session: sessionName(), ...(expect !== undefined && { expect }) });
  await session.append(pieces(bytes(length)));
  return session;
}

test('what is free is the quota less what is stored, staged and promised', async (t) => {
  const { store } = await makeStore(t);
  t.equal(await store.free(), QUOTA);
  const session = await stage(store, MIB, 4 * MIB);
  t.equal(await store.free(), QUOTA - 4 * MIB, 'reserved');
  await session.append(pieces(bytes(4 * MIB)));
  t.equal(await store.free(), QUOTA - 5 * MIB, 'more came than was said');
  await session.close();
  t.equal(await store.free(), QUOTA - 5 * MIB, 'staged');
  const next = await store.open({ path: 'x', session: sessionName(), takeOver: { session: session.session } });
  t.equal(await store.free(), 0, 'taken over');
  await store.discard(session.session);
  t.equal(await store.free(), QUOTA - 5 * MIB, 'the earlier one discarded');
  await next.commit();
  t.equal(await store.free(), QUOTA - 5 * MIB, 'committed');
  await put(store, 'x', bytes(MIB));
  t.equal(await store.free(), QUOTA - MIB, 'replaced by less');
  await store.link('x', 'dir/y');
  t.equal(await store.free(), QUOTA - MIB, 'linked');
  await store.remove('x');
  t.equal(await store.free(), QUOTA - MIB, 'one of two names removed');
  await put(store, 'dir/z', bytes(KIB));
  await store.removeTree('dir');
  t.equal(await store.free(), QUOTA, 'all removed');
});

test('the file of an earlier session, whose writer may still be there, is let go of with the commit', {
  skip,
}, async (t) => {
  const { store, root } = await makeStore(t);
  const first = await store.openPieces({ path: 'x', session: sessionName(), size: KIB });
  await first.close();
  const earlier = { session: first.session, isOver: false };
  const later = await store.openPieces({ path: 'x', session: sessionName(), size: KIB, earlier });
  await store.discard(first.session);
  await later.append(pieces(bytes(KIB)));
  await later.commit();
  t.strictSame(await openFiles(root), []);
});

test('a reservation that was not used up is given back', async (t) => {
  const { store } = await makeStore(t);
  for (const end of ['commit', 'close', 'discard'] as const) {
    const session = await stage(store, KIB, 9 * MIB);
    await session[end]();
    await store.discard(session.session);
    await store.remove('x');
    t.equal(await store.free(), QUOTA, end);
  }
});

test('what other sessions reserved is not to be had', async (t) => {
  const { store } = await makeStore(t);
  const first = await stage(store, 0, 6 * MIB);
  await t.rejects(store.open({ path: 'y', session: sessionName(), expect: 5 * MIB }), {
    name: 'InsufficientStorageError',
    needed: 5 * MIB,
    available: 4 * MIB,
  });
  const unannounced = await store.open({ path: 'z', session: sessionName() });
  await t.rejects(unannounced.append(pieces(bytes(5 * MIB))), InsufficientStorageError);
  t.ok(unannounced.size <= 4 * MIB);
  t.strictSame(await unannounced.hashes(), hashesOf(bytes(5 * MIB).subarray(0, unannounced.size)));
  await first.append(pieces(bytes(6 * MIB)));
  await first.commit();
  t.match(await store.info('x'), { size: 6 * MIB });
});

test('a session that the quota stopped keeps what it staged, and goes on when there is room', async (t) => {
  const { store } = await makeStore(t);
  await put(store, 'other', bytes(6 * MIB));
  const whole = bytes(8 * MIB);
  const session = await store.open({ path: 'x', session: sessionName() });
  await t.rejects(session.append(pieces(whole)), InsufficientStorageError);
  const { size } = session;
  t.ok(size > 0 && size <= 4 * MIB, `${size} bytes staged`);
  await store.remove('other');
  await session.append(pieces(whole.subarray(size)));
  t.strictSame(await session.hashes(), hashesOf(whole));
  await session.commit();
  same(t, await get(store, 'x'), whole, 'read');
});

test('what another process stored is seen before anybody is refused, and in time', async (t) => {
  let now = Date.now();
  const { root, store } = await makeStore(t, { now: () => now });
  const { store: other } = await makeStore(t, { root });
  await put(store, 'mine', bytes(6 * MIB));
  now += 61_000;
  t.equal(await store.free(), QUOTA - 6 * MIB);
  await other.remove('mine');
  await put(store, 'again', bytes(6 * MIB));
  t.equal(await store.free(), QUOTA - 6 * MIB, 'counted again, because it would not have fitted');
  await put(other, 'theirs', bytes(3 * MIB));
  now += 61_000;
  await t.rejects(store.open({ path: 'x', session: sessionName(), expect: 2 * MIB }), {
    name: 'InsufficientStorageError',
    available: MIB,
  });
});

test('a store opened anew counts what is there, and two names of one file once', async (t) => {
  const { root, store } = await makeStore(t);
  await put(store, 'a/b/c', bytes(MIB));
  await store.link('a/b/c', 'd/e');
  const session = await stage(store, MIB);
  await session.close();
  const { store: other } = await makeStore(t, { root });
  // The identity is not made yet, so that nothing else is there.
  t.equal(await other.free(), QUOTA - 2 * MIB);
});

test('what was announced is reserved only as long as it comes', async (t) => {
  let now = Date.now();
  const { store } = await makeStore(t, { now: () => now });
  const silent = await store.open({ path: 'x', session: sessionName(), expect: 6 * MIB });
  const other = () => store.open({ path: 'y', session: sessionName(), expect: 5 * MIB });
  now += 9_000;
  await t.rejects(other(), InsufficientStorageError, 'it may still begin');
  now += 2_000;
  t.equal(await store.free(), QUOTA, 'nothing came');
  const taker = await other();
  await t.rejects(silent.append(pieces(bytes(6 * MIB))), InsufficientStorageError);
  t.ok(silent.size <= 5 * MIB, 'it takes what is left');
  await taker.append(pieces(bytes(5 * MIB)));
  await taker.commit();
  t.match(await store.info('y'), { size: 5 * MIB });
});

test('who announces much and drips has nothing reserved, who goes on sending has all of it', async (t) => {
  let now = Date.now();
  const { store } = await makeStore(t, { now: () => now });
  const dripping = await store.open({ path: 'x', session: sessionName(), expect: 4 * MIB });
  const steady = await store.open({ path: 'y', session: sessionName(), expect: 5 * MIB });
  for (let second = 0; second < 30; second += 5) {
    now += 5_000;
    await dripping.append(pieces(bytes(10)));
    await steady.append(pieces(bytes(512 * KIB)));
  }
  now += 1;
  t.equal(await store.free(), QUOTA - 5 * MIB - dripping.size);
  await dripping.append(pieces(bytes(MIB)));
  t.equal(await store.free(), QUOTA - 9 * MIB, 'it is reserved again when there is room and the bytes do come');
  // A clock that is set back does not make a reservation eternal.
  now -= 3_600_000;
  t.ok(((await store.free()) ?? 0) >= QUOTA - 5 * MIB);
});

test('the headroom is for essential objects, whatever others announce or send', async (t) => {
  const root = smallDisk(t, 8);
  if (root === undefined) return;
  const headroom = 3 * MIB;
  const store = await openLocalStore({ root, headroom });
  t.teardown(() => store.close());
  const onDisk = () => bytesFree(root);
  t.equal(await store.free(), onDisk() - headroom);
  await t.rejects(store.open({ path: 'x', session: sessionName(), expect: 6 * MIB }), {
    name: 'InsufficientStorageError',
    needed: 6 * MIB,
    available: onDisk() - headroom,
  });
  for (const expect of [undefined, 4 * MIB]) {
    const session = await store.open({ path: 'x', session: sessionName(), ...(expect !== undefined && { expect }) });
    await t.rejects(session.append(pieces(bytes(7 * MIB))), InsufficientStorageError);
    t.ok(onDisk() >= headroom, `${onDisk()} bytes are left on the disk`);
    if (expect === undefined) await session.discard();
  }
  const essential = await store.open({ path: 'y', session: sessionName(), essential: true });
  await essential.append(pieces(bytes(MIB)));
  await essential.commit();
  same(t, await get(store, 'y'), bytes(MIB), 'written into the headroom');
  const { store: limited } = await makeStore(t, { quota: MIB });
  await put(limited, 'x', bytes(MIB));
  const document = await limited.open({ path: 'y', session: sessionName(), essential: true });
  await document.append(pieces(bytes(KIB)));
  await document.commit();
  t.equal(await limited.free(), 0, 'above the quota too');
});

test('a disk that fills up is told as such, and what was staged stays', async (t) => {
  const root = smallDisk(t, 8);
  if (root === undefined) return;
  const store = await openLocalStore({ root });
  t.teardown(() => store.close());
  const whole = bytes(7 * MIB);
  await put(store, 'other', bytes(3 * MIB));
  await t.rejects(store.open({ path: 'x', session: sessionName(), expect: 6 * MIB }), InsufficientStorageError);
  const session = await store.open({ path: 'x', session: sessionName() });
  await t.rejects(session.append(pieces(whole)), InsufficientStorageError);
  const { size } = session;
  t.ok(size > 4 * MIB && size <= 5 * MIB, `${size} bytes staged`);
  t.strictSame(await session.hashes(), hashesOf(whole.subarray(0, size)));
  await store.remove('other');
  await session.append(pieces(whole.subarray(size)));
  t.strictSame(await session.hashes(), hashesOf(whole));
  await session.commit();
  same(t, await get(store, 'x'), whole, 'read');
});
