/** Indexes for searches for parts of texts: by pg_trgm where it may be used, in the background, by one process at a time. */
import { type Test, test } from 'tap';
import { openPostgresStore, type PostgresStoreOptions } from '#lib/documents/postgres/store.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { type PostgresPlace, postgresFor } from '../../../engines/postgres/postgres-for.ts';
import { waitFor } from '../../../helpers/wait.ts';

interface Text {
  readonly name: string;
  readonly size: number;
}

const TEXTS: Bucket<Text> = {
  name: 'texts',
  version: 1,
  index: { name: { type: 'string', substrings: true }, size: { type: 'number' } },
};
const COUNT = 2000;
const ODD = ['50% off', 'a_b', 'back\\slash', 'Ünïcödé', "it's", '***'];

function nameOf(at: number): string {
  return at < ODD.length ? (ODD[at] ?? '') : `name-${at}-of-many`;
}

async function openOn(t: Test, { options }: PostgresPlace, more: Partial<PostgresStoreOptions> = {}): Promise<Store> {
  const store = await openPostgresStore({ ...options, indexAfter: 0, ...more });
  t.teardown(() => store.close());
  await store.open([TEXTS]);
  return store;
}

async function assertFound(t: Test, store: Store, when: string): Promise<void> {
  const all = Array.from({ length: COUNT }, (_, at) => at);
  for (const value of [
    '-1234-',
    '% o',
    '_b',
    'k\\s',
    'cö',
    "t's",
    '***',
    'zzz',
    'NAME',
    '%',
    'many',
    'zz',
    'f-',
    'ï',
    '_',
    "'s",
    'q',
    '5',
  ]) {
    const query = { filter: { op: 'substring', field: 'name', value }, sort: { field: 'size', order: 'asc' } } as const;
    const found = (await store.find(TEXTS, { ...query, limit: 10 })).map(({ value: { size } }) => size);
    const expected = all.filter((at) => nameOf(at).includes(value)).slice(0, 10);
    t.same(found, expected, `${value} ${when}`);
  }
}

test('parts of texts are indexed once that is allowed, by one of many, also where one died; until then it is said', async (t) => {
  const place = await postgresFor(t);
  const { options, server } = place;
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => warnings.push(message) };
  const first = await openOn(t, place, { log });
  for (let at = 0; at < COUNT; at += 1000) {
    await first.batch(
      Array.from({ length: 1000 }, (_, more) => ({
        op: 'put',
        bucket: TEXTS,
        key: `k${at + more}`,
        value: { name: nameOf(at + more), size: at + more },
      })),
    );
  }
  await waitFor('the warning', () => warnings.length > 0);
  t.match(warnings, ['parts of texts cannot be indexed, so searches for them read the whole table']);
  await assertFound(t, first, 'without the index');

  await server.query('create extension pg_trgm');
  t.teardown(() => server.query('drop extension pg_trgm cascade'));
  const valid = async (): Promise<boolean[]> => {
    const rows = await server.query(
      `select indisvalid from pg_index where indexrelid = to_regclass($1) and indrelid = to_regclass($2)`,
      [`"${options.schema}"."texts$1$$parts"`, `"${options.schema}"."texts$1"`],
    );
    return rows.map(({ indisvalid }) => indisvalid === true);
  };
  const pairs = `select 1 from pg_index where indexrelid = to_regclass('"${options.schema}"."texts$1$$pairs"') and indisvalid`;
  t.equal((await server.query(pairs)).length, 1, 'shorter parts need no extension');
  const stores = await Promise.all([1, 2, 3].map(() => openOn(t, place, { log })));
  await waitFor('the index', async () => (await valid())[0] === true);
  for (const store of stores) await assertFound(t, store, 'with the index');

  await server.query(`update pg_index set indisvalid = false where indexrelid = to_regclass($1)`, [
    `"${options.schema}"."texts$1$$parts"`,
  ]);
  t.same(await valid(), [false], 'as one who dies leaves it');
  const next = await openOn(t, place, { log });
  await waitFor('the index anew', async () => (await valid())[0] === true);
  await assertFound(t, next, 'with the new one');
  t.equal(warnings.length, 1);
});

test('where transactions are read-only unless they ask, it is said once that no index is made', async (t) => {
  const place = await postgresFor(t);
  const { options, server } = place;
  await server.query(`alter role ${options.user} set default_transaction_read_only = on`);
  const warnings: object[] = [];
  const store = await openOn(t, place, { log: { warn: (fields: object) => warnings.push(fields) } });
  await waitFor('the warning', () => warnings.length > 0);
  t.match(warnings, [{ bucket: 'texts', err: { message: /read-only transaction/ } }]);
  await t.resolves(store.batch([{ op: 'put', bucket: TEXTS, key: 'k', value: { name: 'a', size: 1 } }]));
});
