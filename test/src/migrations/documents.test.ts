/** A datacenter whose documents move to another engine while it is used. */
import { test } from 'tap';
import { postgresKinds } from '../../engines/postgres/postgres-for.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { Clients, hasEnded, operatorOf, startMoray } from './fixture.ts';

test('documents move from SQLite to Moray under load, with two processes: no request fails, no write is lost', async (t) => {
  const { keys } = await startMoray(t);
  const one = await spawnImgapi(t, { ...keys });
  const other = await spawnImgapi(t, { ...keys }, { dataDir: one.dataDir });
  await makeImage(one.client({ account: ALICE }), {}, { size: 100_000 });
  const clients = new Clients([one, other]);
  const operator = await operatorOf(one);
  const plan = await operator.adminMigrate({ kind: 'documents', to: 'moray', dry_run: true });
  t.match(plan, { state: 'planned', from: 'local', to: 'moray' });
  t.same(await operator.adminListMigrations(), [], 'a dry run leaves nothing');
  const orders = await Promise.all(
    Array.from({ length: 5 }, () => operator.adminMigrate({ kind: 'documents', to: 'moray' })),
  );
  t.equal(new Set(orders.map(({ ordered_at: at }) => at)).size, 1, 'five orders are one');
  const ended = await hasEnded(operator);
  t.match(ended, { state: 'succeeded', from: 'local', to: 'moray' }, ended.error ?? 'done');
  const before = clients.requests;
  await waitFor('more requests', () => clients.requests > before + 50);
  await clients.stop();
  t.same(clients.failures, []);
  t.ok(clients.acknowledged.size > 2, `${clients.acknowledged.size} images, ${clients.requests} requests`);
  for (const server of [one, other]) t.same(await clients.lost(server), []);
  await t.rejects(operator.adminMigrate({ kind: 'documents', to: 'moray' }), /already/);

  // The old configuration leads to the new store, as does the new one.
  for (const databaseType of ['local', 'moray']) {
    const later = await spawnImgapi(t, { ...keys, databaseType }, { dataDir: one.dataDir });
    t.same(await clients.lost(later), []);
    await later.stop();
  }
});

test('documents move from SQLite to PostgreSQL and back under load', async (t) => {
  const { keys } = await postgresKinds.npm.placeFor(t);
  const { postgres } = keys;
  const one = await spawnImgapi(t, { postgres });
  const other = await spawnImgapi(t, { postgres }, { dataDir: one.dataDir });
  const clients = new Clients([one, other]);
  const operator = await operatorOf(one);
  for (const to of ['postgres', 'local', 'postgres']) {
    await operator.adminMigrate({ kind: 'documents', to });
    const ended = await hasEnded(operator);
    t.match(ended, { state: 'succeeded', to }, ended.error ?? 'done');
    const before = clients.requests;
    await waitFor('more requests', () => clients.requests > before + 50);
  }
  await clients.stop();
  t.same(clients.failures, []);
  for (const server of [one, other]) {
    t.same(await clients.lost(server), []);
    await server.stop();
  }
  const later = await spawnImgapi(t, { postgres }, { dataDir: one.dataDir });
  t.same(await clients.lost(later), [], 'who starts with the old configuration follows');
  await later.stop();
});
