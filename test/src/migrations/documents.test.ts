/** A datacenter whose documents move to another engine while it is used. */
import { test } from 'tap';
import { postgresKinds } from '../../engines/postgres/postgres-for.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { Clients, hasEnded, moveBackAndForth, operatorOf, startMoray } from './fixture.ts';

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

test('documents move from SQLite to PostgreSQL and back under load', (t) => moveBackAndForth(t, postgresKinds.npm));

test('documents move away from Moray to PostgreSQL once one process alone uses it', async (t) => {
  const { keys } = await startMoray(t);
  const { postgres } = (await postgresKinds.npm.placeFor(t)).keys;
  const config = { ...keys, postgres, databaseType: 'moray' };
  const one = await spawnImgapi(t, config);
  const other = await spawnImgapi(t, config, { dataDir: one.dataDir });
  const clients = new Clients([one]);
  const operator = await operatorOf(one);
  const wish = { kind: 'documents', to: 'postgres' } as const;
  t.match(await operator.adminMigrate({ ...wish, dry_run: true }), { state: 'planned', from: 'moray' });
  await t.rejects(operator.adminMigrate(wish), /order it with offline/);
  await operator.adminMigrate({ ...wish, offline: true });
  t.match(await hasEnded(operator), { state: 'failed', error: /stop them first.*\d+ on/ });
  await other.stop();
  await operator.adminMigrate({ ...wish, offline: true });
  const ended = await hasEnded(operator);
  t.match(ended, { state: 'succeeded', from: 'moray', to: 'postgres' }, ended.error ?? 'done');
  const before = clients.requests;
  await waitFor('more requests', () => clients.requests > before + 20);
  await clients.stop();
  t.same(clients.failures, [], 'calls of the one process waited');
  const later = await spawnImgapi(t, config, { dataDir: one.dataDir });
  for (const server of [one, later]) {
    t.same(await clients.lost(server), []);
    await server.stop();
  }
});
