/** The index of pieces of texts for a database that was filled without it. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Test, test } from 'tap';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { openSqliteStore, type SqliteStoreOptions } from '#lib/documents/sqlite/store.ts';
import { buildNext } from '#lib/documents/sqlite/trigram-building.ts';
import type { Bucket, Store, Write } from '#lib/documents/store.ts';
import { waitFor } from '../../../helpers/wait.ts';

interface Text {
  readonly name?: string;
  readonly size: number;
}

const TEXTS: Bucket<Text> = {
  name: 'texts',
  version: 1,
  index: { name: { type: 'string', substrings: true }, size: { type: 'number' } },
  together: [['name', 'size']],
};
/** More than are looked at in their order before the search is narrowed. */
const COUNT = 4000;
/** Long enough for nothing to happen meanwhile. */
const NEVER = 10 ** 9;

function put(at: number, name: string): Write {
  return { op: 'put', bucket: TEXTS, key: `k${at}`, value: { name, size: at } };
}

async function open(t: Test, path: string, options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ path, indexAfter: NEVER, ...options });
  t.teardown(() => store.close());
  await store.open([TEXTS]);
  return store;
}

/** A database as one without the index left it. */
async function filled(t: Test): Promise<string> {
  const path = join(t.testdir(), 'texts.db');
  const store = await open(t, path);
  for (let at = 0; at < COUNT; at += 1000) {
    await store.batch(Array.from({ length: 1000 }, (_, more) => put(at + more, `name-${at + more}-`)));
  }
  await store.close();
  const db = new Database(path);
  const triggers = db.prepare<[], string>(`select name from sqlite_schema where name like 'trigrams$%$%'`).pluck();
  for (const name of triggers.all()) db.exec(`drop trigger "${name}"`);
  db.exec('drop table "texts$1$$trigrams"');
  db.close();
  return path;
}

function rowsIn(t: Test, path: string): (sql: string) => unknown[] {
  const db = new Database(path, { readonly: true });
  t.teardown(() => db.close());
  return (sql) => db.prepare(sql).pluck().all();
}

const WHOLE = `select 1 from sqlite_schema where type = 'trigger' and name = 'trigrams$insert$texts$1'`;
const BEGUN = `select name from sqlite_schema where type = 'trigger' and name like 'trigrams-building$%'`;

async function assertFound(t: Test, store: Store, texts: ReadonlyMap<number, string>, when: string): Promise<void> {
  for (const value of ['name-7-', 'name-1300-', 'name-3999-', 'other', 'late-2', 'name-5000', 'gone', 'reused']) {
    const filter = { op: 'substring', field: 'name', value } as const;
    const found = await store.find(TEXTS, { filter, sort: { field: 'size', order: 'asc' }, limit: 50 });
    const expected = [...texts].filter(([, name]) => name.includes(value)).map(([at]) => at);
    t.same(
      found.map(({ value: { size } }) => size),
      expected.sort((a, b) => a - b).slice(0, 50),
      `${value} ${when}`,
    );
  }
}

test('what was there before the index is indexed bit by bit, whoever dies, writes or goes on meanwhile', async (t) => {
  const path = await filled(t);
  const store = await open(t, path);
  const rows = rowsIn(t, path);
  const texts = new Map(Array.from({ length: COUNT }, (_, at) => [at, `name-${at}-`]));
  const write = async (names: Readonly<Record<number, string | undefined>>): Promise<void> => {
    const writes = Object.entries(names).map(([at, name]): Write => {
      if (name === undefined) texts.delete(Number(at));
      else texts.set(Number(at), name);
      return name === undefined ? { op: 'del', bucket: TEXTS, key: `k${at}` } : put(Number(at), name);
    });
    await store.batch(writes);
  };
  t.same(rows(WHOLE), [], 'the start has not waited for it');
  t.equal(rows(BEGUN).length, 3);
  await assertFound(t, store, texts, 'before anything is indexed');

  const first = new Connection(path);
  t.same(buildNext(first, 1500), { state: 'indexed', progress: { table: 'texts$1', upTo: 1500 } });
  // Of those that are indexed, and of those that are not.
  await write({ 7: 'other-7', 8: undefined, 3000: 'other-3000', 3001: undefined, 5000: 'name-5000-', 3999: undefined });
  first.close();

  const [second, third] = [new Connection(path), new Connection(path)];
  t.teardown(() => second.close());
  t.teardown(() => third.close());
  t.same(buildNext(second, 1000), { state: 'indexed', progress: { table: 'texts$1', upTo: 2500 } });
  const left = buildNext(third, 1000, { table: 'texts$1', upTo: 1500 });
  t.same(left, { state: 'others', progress: { table: 'texts$1', upTo: 2500 } }, 'while another one goes on');
  await write({ 2400: 'late-2400', 2600: 'late-2600', 9: undefined });
  await assertFound(t, store, texts, 'in the middle');
  while (buildNext(second, 1000).state === 'indexed');
  t.same(buildNext(second, 1000), { state: 'nothing' });

  t.same(rows(WHOLE), [1]);
  t.same(rows(BEGUN), []);
  await assertFound(t, store, texts, 'by the index');
  await write({ 5001: 'reused-5001', 1300: 'gone', 3999: 'name-3999-' });
  await assertFound(t, store, texts, 'after more writes');
  second.db.exec(`insert into "texts$1$$trigrams" ("texts$1$$trigrams") values ('delete-all')`);
  const filter = { op: 'substring', field: 'name', value: 'name-1234-' } as const;
  t.same(await store.find(TEXTS, { filter, limit: 5 }), [], 'the index is what finds them');
});

test('an opened store has the index made in the background, and an index without its table dropped', async (t) => {
  const path = await filled(t);
  const db = new Database(path);
  db.exec(`create virtual table "texts$0$$trigrams" using fts5 (i_name, content='')`);
  db.close();
  const store = await open(t, path, { indexAfter: 0 });
  const rows = rowsIn(t, path);
  await waitFor('the whole index', () => rows(WHOLE).length === 1);
  t.same(rows(`select name from sqlite_schema where name like 'texts$0%'`), []);
  await assertFound(t, store, new Map(Array.from({ length: COUNT }, (_, at) => [at, `name-${at}-`])), 'then');
});

test('a bucket whose tables are replaced while its index is made has that of the new ones', async (t) => {
  const path = await filled(t);
  const store = await open(t, path);
  const rows = rowsIn(t, path);
  t.equal(rows(BEGUN).length, 3);
  await store.open([{ ...TEXTS, version: 2 }]);
  const connection = new Connection(path);
  t.teardown(() => connection.close());
  const states: string[] = [];
  for (let { state } = buildNext(connection, 3000); state !== 'nothing'; { state } = buildNext(connection, 3000)) {
    states.push(state);
  }
  t.same(states, ['dropped', 'indexed', 'indexed', 'finished']);
  t.same(rows(`select name from sqlite_schema where name like '%texts$1%'`), []);
  t.same(rows('select tbl from trigrams'), []);
});
