import { test } from 'tap';
import { openSqliteBackend } from '#lib/documents/sqlite/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { MAY_EXPIRE } from '#src/images/record/placeholder-expiry.ts';
import { WITH_INTENT } from '#src/maintenance/sweeper.ts';

test('what each start looks for is found by an index that leaves out all other images', async (t) => {
  const store = await openSqliteBackend({ path: ':memory:' });
  t.teardown(() => store.close());
  await store.open([IMAGES]);
  for (const [query, index] of [
    [WITH_INTENT, 'intent_lease'],
    [MAY_EXPIRE, 'expires_at'],
  ] as const) {
    const plan = await store.planOf(IMAGES, query);
    t.match(plan[0], `SEARCH imgapi_images$3 USING INDEX imgapi_images$3$$by$${index} (i_${index}>?)`);
    t.notOk(
      plan.some((line) => line.includes('B-TREE')),
      'in its order',
    );
  }
});
