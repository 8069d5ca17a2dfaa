import { join } from 'node:path';
import Logger from 'bunyan';
import { type Test, test } from 'tap';
import { StoreUnavailableError } from '#lib/documents/errors.ts';
import type { Moved } from '#lib/documents/moving/moved.ts';
import { sqliteFence } from '#lib/documents/sqlite/fence.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import type { DatabaseType } from '#src/service/config/config.ts';
import { ARRIVALS, expectArrival } from '#src/service/engines/arrivals.ts';
import { FollowingStore, type Place } from '#src/service/engines/following-store.ts';
import type { AlongWith } from '#src/service/engines/opening.ts';
import { waitFor } from '../../../helpers/wait.ts';

const THINGS: Bucket<{ n: number }> = { name: 'things', version: 1, index: { n: { type: 'number' } } };
const BUCKETS = [THINGS, ARRIVALS];

/** Places that are files, each under the name of an engine, and a store that follows the documents through them. */
async function startedIn(t: Test, type: DatabaseType, alongWith?: AlongWith) {
  const folder = t.testdir();
  const opened: Place[] = [];
  const closed = new Set<Store>();
  /** Called before a place that was opened later on is ready. */
  const ready: { hook: (place: Place) => Promise<unknown> } = { hook: async () => undefined };
  const openAlone = async (name: DatabaseType, since: number): Promise<Place> => {
    const path = join(folder, `${name}.db`);
    const store = await openSqliteStore({ path, place: { since } });
    const { close } = store;
    t.teardown(() => close.call(store));
    store.close = async () => {
      closed.add(store);
      await close.call(store);
    };
    return { type: name, since, store, fence: sqliteFence(path) };
  };
  const open = async (name: DatabaseType, since: number): Promise<Place> => {
    const place = await openAlone(name, since);
    opened.push(place);
    await ready.hook(place);
    return place;
  };
  const first = await openAlone(type, 0);
  const log = new Logger({ name: 'test', streams: [] });
  const store = new FollowingStore({ first, open, log, patienceMs: 500, ...(alongWith && { alongWith }) });
  t.teardown(() => store.close());
  await store.open(BUCKETS);
  return { store, first, opened, closed, ready, openAlone };
}

function move(to: DatabaseType, epoch: number, state: Moved['state']): Moved {
  const until = Date.now() + 60_000;
  return { nonce: `move ${epoch}`, to, epoch, state, worker: 'somebody', until, length: 60_000 };
}

/** Leaves a place for one that holds nothing yet. */
async function leave({ fence, type }: Place, target: Place, state: Moved['state'] = 'done'): Promise<void> {
  await target.store.open(BUCKETS);
  await expectArrival(target.store, BUCKETS, { nonce: `move ${target.since}`, from: type });
  if (!(await fence.raise(move(target.type, target.since, 'moving')))) throw new Error('it is fenced already');
  if (state === 'done') await fence.change(move(target.type, target.since, 'done'));
}

test('a batch that waits for the end of a move is written as it was when it was called', async (t) => {
  const { store, first, openAlone } = await startedIn(t, 'local');
  const target = await openAlone('postgres', 1);
  await leave(first, target, 'moving');
  const value = { n: 1 };
  const write = { op: 'put' as const, bucket: THINGS, key: 'a', value };
  const writes = [write];
  const written = store.batch(writes);
  value.n = 2;
  write.key = 'b';
  writes.push({ op: 'put', bucket: THINGS, key: 'c', value });
  await first.fence.change(move('postgres', 1, 'done'));
  t.equal((await written).length, 1);
  t.equal(store.place.type, 'postgres');
  t.same(
    (await store.find(THINGS, {})).map(({ key, value: found }) => ({ key, ...found })),
    [{ key: 'a', n: 1 }],
  );
});

test('what belongs to a write is in its batch, also where the documents have moved, and the caller has the etags of its own', async (t) => {
  const along: AlongWith = ({ bucket, key }) =>
    bucket.name === THINGS.name && key.length === 1
      ? [{ op: 'put', bucket: THINGS, key: `${key}.note`, value: { n: 0 } }]
      : [];
  const { store, first, openAlone } = await startedIn(t, 'local', along);
  const keys = async () => (await store.find(THINGS, {})).map(({ key }) => key);
  const put = (key: string, ifEtag?: string | null) =>
    store.batch([{ op: 'put', bucket: THINGS, key, value: { n: 1 }, ...(ifEtag !== undefined && { ifEtag }) }]);
  const etags = await put('a');
  t.same(etags, [(await store.get(THINGS, 'a'))?.etag]);
  await t.rejects(put('b', 'another'), { name: 'EtagConflictError' });
  t.same(await keys(), ['a', 'a.note'], 'neither of what was refused');
  const target = await openAlone('postgres', 1);
  await leave(first, target);
  t.equal((await put('c')).length, 1);
  t.equal(store.place.type, 'postgres');
  t.same(await keys(), ['c', 'c.note']);
});

test('documents that move on while they are followed are followed on, and nothing stays open in between', async (t) => {
  const { store, first, opened, closed, openAlone } = await startedIn(t, 'local');
  const second = await openAlone('postgres', 1);
  await leave(first, second);
  const third = await openAlone('moray', 2);
  await leave(second, third);
  await third.store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 3 } }]);
  t.same((await store.get(THINGS, 'a'))?.value, { n: 3 });
  t.equal(store.place.type, 'moray');
  t.same(
    opened.map((place) => [place.type, closed.has(place.store)]),
    [
      ['postgres', true],
      ['moray', false],
    ],
  );
});

test('a second move that is called off leaves the documents where the first one brought them', async (t) => {
  const { store, first, opened, openAlone } = await startedIn(t, 'local');
  const second = await openAlone('postgres', 1);
  await leave(first, second);
  const third = await openAlone('moray', 2);
  await leave(second, third, 'moving');
  const found = store.get(THINGS, 'a');
  await waitFor('the second place to be tried', () => opened.length === 1);
  await second.fence.lift(move('moray', 2, 'moving'));
  t.equal(await found, undefined);
  t.equal(store.place.type, 'postgres');
  t.equal(await store.count(THINGS), 0, 'its buckets are open');
});

test('a second move that takes too long fails the call, and leaves nothing open', async (t) => {
  const { store, first, opened, closed, openAlone } = await startedIn(t, 'local');
  const second = await openAlone('postgres', 1);
  await leave(first, second);
  await leave(second, await openAlone('moray', 2), 'moving');
  await t.rejects(store.get(THINGS, 'a'), StoreUnavailableError);
  t.equal(opened.length, 1);
  t.ok(opened.every((place) => closed.has(place.store)));
});

test('a call that waits for the end of a move heeds its signal', async (t) => {
  const { store, first, openAlone } = await startedIn(t, 'local');
  await leave(first, await openAlone('postgres', 1), 'moving');
  const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => store.find(THINGS, {}, { signal }),
    (signal) => store.count(THINGS, undefined, { signal }),
    (signal) => store.scan(THINGS, {}, { signal })[Symbol.asyncIterator]().next(),
  ];
  for (const call of calls) {
    const controller = new AbortController();
    const called = call(controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await t.rejects(called, { message: 'enough' });
  }
  await first.fence.lift(move('postgres', 1, 'moving'));
  t.equal(await store.count(THINGS), 0);
});

test('a store that is closed while it follows the documents leaves nothing open', async (t) => {
  const { store, first, opened, closed, ready, openAlone } = await startedIn(t, 'local');
  await leave(first, await openAlone('postgres', 1));
  ready.hook = async (place) => {
    const { open } = place.store;
    place.store.open = async (buckets) => {
      await open.call(place.store, buckets);
      await store.close();
    };
  };
  await t.rejects(store.get(THINGS, 'a'), StoreUnavailableError);
  t.equal(opened.length, 1);
  t.ok(opened.every((place) => closed.has(place.store)));
});

test('without a move, what fails is thrown as it is', async (t) => {
  const { store, first } = await startedIn(t, 'local');
  await t.rejects(store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 'x' } }]), {
    name: 'InvalidValueError',
  });
  await store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 1 } }]);
  const again = store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 2 }, ifEtag: null }]);
  await t.rejects(again, { name: 'EtagConflictError' });
  t.equal(store.place, first);
});
