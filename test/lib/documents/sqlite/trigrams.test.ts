/** Searches for parts of texts, by the index of their pieces. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Filter, Write } from '#lib/documents/store.ts';
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
const ODD = [
  'say "yes" AND no',
  "it's",
  'Ünïcödé 🦊🦊🦊',
  'i_name : (x)',
  'ABCabc',
  'ab',
  '',
  '***',
  `${'long'.repeat(300)}~`,
];

function nameOf(at: number): string | undefined {
  return at % 100 === 50 ? undefined : at % 200 === 7 ? ODD[((at / 200) % ODD.length) | 0] : `name-${at}-of-many`;
}

test('parts of texts are found wherever they are, after any write, with quotes, marks, case and few letters', async (t) => {
  const path = join(t.testdir(), 'texts.db');
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.open([TEXTS]);
  const texts = new Map<string, Text>();
  const write = async (keys: readonly number[], name: (at: number) => string | undefined | null): Promise<void> => {
    const writes = keys.map((at): Write => {
      const [key, text] = [`k${at}`, name(at)];
      if (text === null) {
        texts.delete(key);
        return { op: 'del', bucket: TEXTS, key };
      }
      const value = { size: at, ...(text !== undefined && { name: text }) };
      texts.set(key, value);
      return { op: 'put', bucket: TEXTS, key, value };
    });
    await store.batch(writes);
  };
  const wanted = [
    '-399',
    'name-1234-',
    'yes" AND',
    "t's",
    'öd',
    'ödé 🦊',
    '🦊🦊🦊',
    '(x)',
    'cab',
    'Cab',
    'Cabc',
    '***',
    'zzz',
    'many-of',
    '-of-',
    'zz',
    'ï',
    '🦊',
    '🦊🦊',
    'ab',
    'cA',
    'Ca',
    'C',
    '*',
    '"',
    "'s",
    'x)',
    '~',
    'g~',
    'ong~',
    'qx',
    'q',
  ];
  const compare = async (when: string): Promise<void> => {
    for (const value of wanted) {
      const part: Filter = { op: 'substring', field: 'name', value };
      for (const filter of [part, { op: 'and', of: [{ op: 'ge', field: 'size', value: 100 }, part] } as const]) {
        const query = { filter, sort: { field: 'size', order: 'desc' }, limit: 30 } as const;
        const found = (await store.find(TEXTS, query)).map(({ value }) => value.size);
        const expected = [...texts.values()].filter(
          ({ name, size }) => name?.includes(value) && (filter === part || size >= 100),
        );
        t.same(
          found,
          expected
            .map(({ size }) => size)
            .sort((a, b) => b - a)
            .slice(0, 30),
          `${value} ${when}`,
        );
      }
    }
  };
  const all = Array.from({ length: COUNT }, (_, at) => at);
  for (let at = 0; at < COUNT; at += 1000) await write(all.slice(at, at + 1000), nameOf);
  await compare('as written');
  await write(
    all.filter((at) => at % 3 === 0),
    (at) => (at % 2 === 0 ? `other-${at}-zzz`.slice(0, 5 + (at % 9)) : null),
  );
  await write([1, 2, 4000, 4001], (at) => (at < 3 ? undefined : `name-1234-${at}`));
  await compare('after changes');

  const raw = new Database(path);
  t.teardown(() => raw.close());
  raw.exec(`insert into "texts$1$$trigrams" ("texts$1$$trigrams") values ('delete-all')`);
  for (const value of ['name-1234-', 'zz', 'Ü']) {
    const filter: Filter = { op: 'substring', field: 'name', value };
    const found = await store.find(TEXTS, { filter, sort: { field: 'size', order: 'asc' } });
    t.same(found, [], `${value} was found by the index`);
  }
});

test('a bucket whose tables are made anew has an index of what is there, and the old one goes', async (t) => {
  const path = join(t.testdir(), 'texts.db');
  const store = await openSqliteStore({ path, indexAfter: 0 });
  t.teardown(() => store.close());
  await store.open([TEXTS]);
  await store.batch(
    Array.from({ length: 1500 }, (_, at) => ({
      op: 'put',
      bucket: TEXTS,
      key: `k${at}`,
      value: { name: `n-${at}`, size: at },
    })),
  );
  const newer = { ...TEXTS, version: 2 };
  await store.open([newer]);
  const filter: Filter = { op: 'substring', field: 'name', value: '-1499' };
  const found = await store.find(newer, { filter, limit: 5, sort: { field: 'size', order: 'asc' } });
  t.same(
    found.map(({ key }) => key),
    ['k1499'],
  );
  const raw = new Database(path, { readonly: true });
  t.teardown(() => raw.close());
  const old = raw.prepare(`select name from sqlite_schema where name like 'texts$1%'`);
  await waitFor('the old index to go', () => old.all().length === 0);
});
