/** PgBouncer goes away and comes back, and has no prepared statements. */
import { test } from 'tap';
import { postgresKinds } from '../../engines/postgres/postgres-for.ts';
import { waitFor } from '../../helpers/wait.ts';
import { COUNTERS, countThrough, openStore } from '../../lib/documents/postgres/fixture.ts';

const kind = postgresKinds.pooled;

test('PgBouncer restarts while many count: no call fails, and none counts twice', {
  skip: kind.absent?.() ?? false,
}, async (t) => {
  const { options, bouncer } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  const counted = await countThrough(store, 300, async () => {
    for (let i = 0; i < 3; i += 1) {
      await waitFor('some counting', async () => ((await store.get(COUNTERS, 'shared'))?.value.count ?? 0) > i * 20);
      await bouncer?.stop();
      await bouncer?.start();
    }
  });
  t.equal(counted, 300);
});

test('the server behind PgBouncer restarts while many count: the same', {
  skip: kind.absent?.() ?? false,
}, async (t) => {
  const { options, server } = await kind.placeFor(t);
  const store = await openStore(t, { ...options, patienceMs: 60_000 });
  const counted = await countThrough(store, 300, async () => {
    await waitFor('some counting', async () => ((await store.get(COUNTERS, 'shared'))?.value.count ?? 0) > 20);
    await server.stop('immediate');
    await server.start();
  });
  t.equal(counted, 300);
});
