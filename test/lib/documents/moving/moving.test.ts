import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { bringUpToDate } from '#lib/documents/moving/bring-up-to-date.ts';
import { compare, DifferentError } from '#lib/documents/moving/compare.ts';
import { isSameState, type Moved, StoreMovedError } from '#lib/documents/moving/moved.ts';
import { sqliteFence } from '#lib/documents/sqlite/fence.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { documentEngines } from '../../../engines/documents.ts';

interface Thing {
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly n: number;
}

const THINGS: Bucket<Thing> = {
  name: 'things',
  version: 1,
  index: { name: { type: 'string', unique: true }, tags: { type: 'string', array: true }, n: { type: 'number' } },
};
const { signal } = new AbortController();
const MOVING: Moved = {
  nonce: 'a',
  to: 'elsewhere',
  epoch: 1,
  state: 'moving',
  worker: 'w',
  until: Number.MAX_SAFE_INTEGER,
  length: 1000,
};

async function put(store: Store, key: string, value: Thing): Promise<string> {
  const [etag = ''] = await store.batch([{ op: 'put', bucket: THINGS, key, value }]);
  return etag;
}

documentEngines.withNpm.each(({ name, make }) => {
  test(`documents are brought from SQLite to ${name}, with their etags, until both are the same`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'imgapi-moving-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const source = await openSqliteStore({ path: join(folder, 'source.db') });
    t.teardown(() => source.close());
    const { store: target } = await make(t);
    for (const store of [source, target]) await store.open([THINGS]);
    const etags = new Map<string, string>();
    const things = Array.from({ length: 1200 }, (_, n) => ({ n, name: `n${n}`, tags: ['a', `t${n % 7}`, ''] }));
    const made = await source.batch(things.map((value) => ({ op: 'put', bucket: THINGS, key: `k${value.n}`, value })));
    for (const [n, etag] of made.entries()) etags.set(`k${n}`, etag);
    t.same(await bringUpToDate(source, target, THINGS, { signal }), { objects: 1200, changed: 1200 });
    const first = await compare(source, target, THINGS, { signal });
    t.equal(first.objects, 1200);
    for (const stored of await target.find(THINGS, { limit: 50 })) {
      t.ok(isSameState(stored.etag, etags.get(stored.key) ?? ''), 'who read it there can write it here');
    }
    t.same(await bringUpToDate(source, target, THINGS, { signal }), { objects: 1200, changed: 0 }, 'nothing is left');

    await source.batch([{ op: 'del', bucket: THINGS, key: 'k5' }]);
    await put(source, 'k6', { n: 0 });
    await put(source, 'k7', { n: 7, name: 'n6' });
    await put(source, 'a', { n: 1, name: 'n5' });
    await put(target, 'zzz', { n: 1 });
    await t.rejects(compare(source, target, THINGS, { signal }), DifferentError);
    t.same(await bringUpToDate(source, target, THINGS, { signal }), { objects: 1200, changed: 5 });
    const second = await compare(source, target, THINGS, { signal });
    t.not(second.digest, first.digest);
  });
});

test('unique values that change hands are brought along', async (t) => {
  const dir = t.testdir();
  const [source, target] = await Promise.all(['a', 'b'].map((name) => openSqliteStore({ path: join(dir, name) })));
  if (!source || !target) throw new Error('no stores');
  for (const store of [source, target]) {
    t.teardown(() => store.close());
    await store.open([THINGS]);
  }
  for (const [key, name] of Object.entries({ a: '1', b: '2', c: '3' })) await put(source, key, { n: 1, name });
  await bringUpToDate(source, target, THINGS, { signal });
  for (const key of ['a', 'b', 'c']) await put(source, key, { n: 2 });
  for (const [key, name] of Object.entries({ a: '2', b: '3', c: '1' })) await put(source, key, { n: 3, name });
  await bringUpToDate(source, target, THINGS, { signal });
  t.equal((await compare(source, target, THINGS, { signal })).objects, 3);
});

test('a fenced database refuses reads and writes of every store that has it open, and is itself again when lifted', async (t) => {
  const path = join(t.testdir(), 'fenced.db');
  const [one, other] = [await openSqliteStore({ path }), await openSqliteStore({ path })];
  for (const store of [one, other]) {
    t.teardown(() => store.close());
    await store.open([THINGS]);
  }
  const numbers = Array.from({ length: 1000 }, (_, at) => at * 3);
  await one.batch(numbers.map((n) => ({ op: 'put', bucket: THINGS, key: `k${n}`, value: { n, tags: ['x'] } })));
  const fence = sqliteFence(path);
  const calls = (store: Store): Record<string, () => Promise<unknown>> => ({
    get: () => store.get(THINGS, 'k3'),
    getMany: () => store.getMany(THINGS, ['k3', 'k6']),
    find: () => store.find(THINGS, { filter: { op: 'contains', field: 'tags', value: 'x' } }),
    short: () => store.find(THINGS, { limit: 1 }),
    count: () => store.count(THINGS),
    put: () => put(store, 'k3', { n: 3, tags: ['x'] }),
    ping: () => store.ping(),
    open: () => store.open([THINGS]),
  });
  for (const store of [one, other]) for (const call of Object.values(calls(store))) await call();
  t.equal(await fence.raise(MOVING), true);
  t.equal(await fence.raise({ ...MOVING, nonce: 'b' }), false, 'one move at a time');
  t.same(await fence.read(), MOVING);
  for (const store of [one, other]) {
    for (const [name, call] of Object.entries(calls(store))) await t.rejects(call(), StoreMovedError, name);
  }
  const behind = await fence.behind();
  await behind.open([THINGS]);
  t.equal(await behind.count(THINGS), 1000);
  t.equal((await behind.get(THINGS, 'k3'))?.value.n, 3);
  await behind.close();
  t.equal(await fence.lift({ ...MOVING, nonce: 'b' }), false, 'only by who raised it');
  t.equal(await fence.lift(MOVING), true);
  for (const store of [one, other]) for (const call of Object.values(calls(store))) await call();
  t.equal(await one.count(THINGS), 1000);

  t.equal(await fence.raise(MOVING), true);
  t.equal(await fence.change({ ...MOVING, state: 'done' }), true);
  t.equal(await fence.lift(MOVING), false, 'a move that is done stays done');
  await t.rejects(
    openSqliteStore({ path }).then((store) => store.open([THINGS])),
    StoreMovedError,
  );
  const back = await openSqliteStore({ path, place: { since: 2 } });
  t.teardown(() => back.close());
  await fence.clear(1);
  await t.rejects(back.open([THINGS]), 'what is behind the fence is still there');
  await fence.clear(2);
  await back.open([THINGS]);
  t.equal(await back.count(THINGS), 0, 'what comes back begins anew');
  await fence.forget(1);
  t.equal(await fence.read(), undefined);
});
