import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { madeOnFirstUse } from '#lib/documents/first-use.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Bucket } from '#lib/documents/store.ts';

const SECRETS: Bucket<{ readonly secret: string }> = { name: 'secrets', version: 1, index: {} };

test('of several that make it at once all get the same, and later ones too', async (t) => {
  const store = await openSqliteStore({ path: `${t.testdir()}/documents.db` });
  t.teardown(() => store.close());
  await store.open([SECRETS]);
  const get = () => madeOnFirstUse(store, SECRETS, 'one', async () => ({ secret: randomUUID() }));
  const [first, ...others] = await Promise.all([get(), get(), get()]);
  for (const other of [...others, await get()]) t.strictSame(other.value, first.value);
  await madeOnFirstUse(store, SECRETS, 'one', () => {
    throw new Error('made again');
  });
});
