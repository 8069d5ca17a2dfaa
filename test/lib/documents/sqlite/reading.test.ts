/** Lists that are long to find: nothing waits for them, whoever leaves ends them, and what they need is bounded. */
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { Steps } from '#lib/documents/sqlite/reading/steps.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Filter, Store } from '#lib/documents/store.ts';

const ROWS = 120_000;
const BUCKET: Bucket<{ name?: string; size?: number; tags?: string[]; note?: string }> = {
  name: 'rows',
  version: 1,
  index: { name: { type: 'string' }, size: { type: 'number' }, tags: { type: 'string', array: true } },
};
const BY_SIZE = { field: 'size', order: 'asc' } as const;

/** Written in bulk, past the store's own way of writing. */
function fill(path: string, rows: number, note: string): void {
  const { db } = new Connection(path);
  db.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
    insert into "rows$1" select i, printf('k%08d', i), 'e' || i, 0, printf('image-name-%d', i * 7919 % 1000003), i, 0 from n`);
  db.exec(
    `insert into "rows$1$$values" select id, json_object('name', i_name, 'size', i_size, 'note', '${note}') from "rows$1"`,
  );
  db.close();
}

async function filled(t: Test, rows = ROWS, note = ''): Promise<Store> {
  const path = join(t.testdir(), 'moray.db');
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.open([BUCKET]);
  fill(path, rows, note);
  return store;
}

const nowhere = (value: string): Filter => ({ op: 'substring', field: 'name', value });

test('quick lists do not wait behind searches through everything', async (t) => {
  const store = await filled(t);
  // Once, so that it is known to be slow; as are its like.
  await store.find(BUCKET, { filter: nowhere('zzz'), sort: BY_SIZE });
  let searching = 6;
  const searches = Array.from({ length: searching }, async (_, i) => {
    const found = await store.find(BUCKET, { filter: nowhere(`zz${i}`), sort: BY_SIZE });
    searching -= 1;
    return found;
  });
  t.equal((await store.find(BUCKET, { limit: 20, sort: BY_SIZE })).length, 20);
  t.equal((await store.get(BUCKET, 'k00000007'))?.value.size, 7);
  t.ok(searching > 0, 'they came while searches were under way');
  t.strictSame((await Promise.all(searches)).flat(), []);
  t.equal(await store.count(BUCKET, nowhere('zzz')), 0);
});

test('an abort ends a search that is under way, and those that wait', async (t) => {
  const store = await filled(t);
  const leaving = new AbortController();
  const reason = new Error('the client is gone');
  const started = performance.now();
  const search = store.find(BUCKET, { filter: nowhere('zzz'), sort: BY_SIZE });
  await search;
  const whole = performance.now() - started;
  const searches = Array.from({ length: 40 }, (_, i) =>
    store.find(BUCKET, { filter: nowhere(`y${i}`), sort: BY_SIZE }, { signal: leaving.signal }),
  );
  const ended = Promise.all(searches.map((one) => t.rejects(one, reason)));
  const left = performance.now();
  setImmediate(() => leaving.abort(reason));
  await ended;
  const took = performance.now() - left;
  t.ok(took < whole * 20, `forty searches of ${Math.round(whole)} ms each ended after ${Math.round(took)} ms`);
  t.equal((await store.find(BUCKET, { limit: 3 })).length, 3);
});

test('a statement ends at the next row once nobody wants its answer', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.open([BUCKET]);
  fill(path, 1000, '');
  let rows = 0;
  const connection = new Connection(path, { isReader: true, isWanted: () => ++rows < 100 });
  t.teardown(() => connection.close());
  const plain = `select id, etag from "rows$1" where wanted() and instr(i_name, ?) > 0 limit ?`;
  const job = { type: 'find', limit: 10, refs: undefined, documentOf: 'select 1 where ?', characters: 1 } as const;
  const search = (): unknown =>
    new Steps(connection).run({ ...job, parts: [{ sql: plain, values: ['zzz', 0], limitAt: [1] }] });
  t.throws(search, { message: /no longer wanted/ });
  t.equal(rows, 100);
  t.throws(() => connection.db.exec('delete from "rows$1"'), { code: 'SQLITE_READONLY' });
});

test('lists of large documents are read in bounded memory, however many at once', async (t) => {
  const rows = 3000;
  const store = await filled(t, rows, 'x'.repeat(60_000));
  const before = process.memoryUsage().rss;
  let peak = 0;
  const counts = await Promise.all(
    Array.from({ length: 6 }, async () => {
      let count = 0;
      for await (const bit of store.scan(BUCKET, { sort: BY_SIZE })) {
        count += bit.length;
        peak = Math.max(peak, process.memoryUsage().rss);
      }
      return count;
    }),
  );
  t.strictSame(counts, Array(6).fill(rows));
  const grown = (peak - before) / 2 ** 20;
  t.ok(grown < 400, `six lists of 180 MB took ${Math.round(grown)} MiB`);
});

test('a great many different queries leave no memory behind', async (t) => {
  const store = await filled(t, 10);
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const of = Array.from({ length: 20 }, (_, k): Filter => {
        const value = `x${k}`;
        return (i >> (k % 12)) & 1
          ? { op: 'contains', field: 'tags', value }
          : { op: 'containsPrefix', field: 'tags', value };
      });
      await store.find(BUCKET, { filter: { op: 'and', of }, sort: BY_SIZE, limit: 20, after: { value: i, key: 'k' } });
    }
  };
  await ask(300);
  const before = process.memoryUsage().rss;
  await ask(3000);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  t.ok(grown < 100, `3,000 shapes left ${Math.round(grown)} MiB`);
});

test('closing ends what is under way', async (t) => {
  const store = await filled(t);
  const closed = { name: 'StoreUnavailableError', message: /closed/ };
  const searching = t.rejects(store.find(BUCKET, { filter: nowhere('zzz'), sort: BY_SIZE }), closed);
  const waiting = Array.from({ length: 5 }, () => t.rejects(store.count(BUCKET, nowhere('zz')), closed));
  await store.close();
  await Promise.all([searching, ...waiting]);
  await t.rejects(store.find(BUCKET, {}), closed);
});
