/** A database notes what changes while it is copied, so that the rest can be believed. */
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { bringChanges } from '#lib/documents/moving/bring-changes.ts';
import { bringUpToDate } from '#lib/documents/moving/bring-up-to-date.ts';
import { type Changes, UnnotedError } from '#lib/documents/moving/changes.ts';
import { compare, DifferentError } from '#lib/documents/moving/compare.ts';
import type { Moved } from '#lib/documents/moving/moved.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { SOURCES } from './sources.ts';

interface Thing {
  readonly n: number;
  readonly name?: string;
}

const THINGS: Bucket<Thing> = {
  name: 'things',
  version: 1,
  index: { name: { type: 'string', unique: true }, n: { type: 'number' } },
};
const { signal } = new AbortController();
const MOVING: Moved = {
  ...{ nonce: 'a', to: 'elsewhere', epoch: 1, state: 'moving', worker: 'w' },
  ...{ until: Number.MAX_SAFE_INTEGER, length: 1000 },
};

async function opened(t: Test, open: () => Promise<Store>): Promise<Store> {
  const store = await open();
  t.teardown(() => store.close());
  await store.open([THINGS]);
  return store;
}

function put(store: Store, key: string, value: Thing): Promise<string[]> {
  return store.batch([{ op: 'put', bucket: THINGS, key, value }]);
}

async function allNotes(changes: Changes): Promise<string[]> {
  return (await changes.read(1000)).map(({ bucket, key }) => `${bucket} ${key}`);
}

for (const [name, sourceFor] of Object.entries(SOURCES)) {
  test(`${name} notes each write of every process, within its transaction, from the beginning to the end`, async (t) => {
    const { open, fence } = await sourceFor(t);
    const { changes } = fence;
    if (!changes) throw new Error('no notes');
    await changes.end();
    const [one, other] = [await opened(t, open), await opened(t, open)];
    await put(one, 'before', { n: 0 });
    await changes.note();
    t.same(await allNotes(changes), []);
    await put(one, 'a', { n: 1 });
    await put(other, 'a', { n: 2 });
    await other.batch([{ op: 'del', bucket: THINGS, key: 'before' }]);
    const failing = one.batch([
      { op: 'put', bucket: THINGS, key: 'b', value: { n: 1 } },
      { op: 'put', bucket: THINGS, key: 'a', value: { n: 3 }, ifEtag: null },
    ]);
    await t.rejects(failing, { name: 'EtagConflictError' });
    t.same(await allNotes(changes), ['things a', 'things a', 'things before']);
    t.same(await changes.noted('things', ['a', 'b', 'c']), new Set(['a']));
    t.same(await changes.noted('others', ['a']), new Set());
    const first = await changes.read(1);
    t.equal(first.length, 1);
    await changes.drop(first);
    t.same(await allNotes(changes), ['things a', 'things before'], 'the oldest is gone');

    t.equal(await fence.raise(MOVING), true);
    t.same(await allNotes(changes), ['things a', 'things before'], 'they can be read while it is fenced');
    await fence.lift(MOVING);
    await put(one, 'after', { n: 4 });
    t.same(await allNotes(changes), ['things a', 'things before', 'things after'], 'and it goes on when it is lifted');

    await other.open([{ ...THINGS, version: 2, index: { n: { type: 'number' } } }]);
    await t.rejects(changes.read(1), UnnotedError, 'a table that was replaced has noted nothing');
    await changes.note();
    t.same(await allNotes(changes), [], 'it can begin anew');
    await put(other, 'c', { n: 5 });
    t.same(await allNotes(changes), ['things c']);
    await changes.end();
    await put(other, 'c', { n: 6 });
    await t.rejects(changes.read(1), UnnotedError);
  });
}

test('what has a note is brought along by itself, and the tally is that of a comparison of all', async (t) => {
  const dir = t.testdir();
  const [source, target] = await Promise.all(
    ['a', 'b'].map((file) => opened(t, () => openSqliteStore({ path: join(dir, file) }))),
  );
  if (!source || !target) throw new Error('no stores');
  for (const [key, name] of Object.entries({ a: '1', b: '2', c: '3', d: '4' })) await put(source, key, { n: 1, name });
  await bringUpToDate(source, target, THINGS, { signal });
  const tally = await compare(source, target, THINGS, { signal });
  const before = tally.digest;

  await put(source, 'a', { n: 2 });
  await put(source, 'b', { n: 2, name: '1' });
  await put(source, 'e', { n: 2, name: '2' });
  await source.batch([{ op: 'del', bucket: THINGS, key: 'c' }]);
  await t.rejects(compare(source, target, THINGS, { signal }), DifferentError);
  await t.rejects(compare(source, target, THINGS, { signal, excused: async () => new Set(['a', 'b', 'c']) }), {
    message: /things::e is missing/,
  });
  t.same(await bringChanges(source, target, THINGS, ['e'], tally), ['e'], 'its unique value is taken there');
  t.same(await bringChanges(source, target, THINGS, ['b', 'c', 'nothing'], tally), ['b']);
  t.same(await bringChanges(source, target, THINGS, ['a', 'b', 'e'], tally), [], 'until those before it are brought');
  const { objects, digest } = await compare(source, target, THINGS, { signal });
  t.same({ objects: tally.objects, digest: tally.digest }, { objects, digest });
  t.equal(objects, 4);
  t.not(digest, before);
});
