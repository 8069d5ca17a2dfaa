/** A target that is lost while calls wait for the move, or that has no room: they go on in the old store. */
import { test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { postgresFor } from '../../engines/postgres/postgres-for.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { stateOf } from '../../helpers/cloud.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { spawnImgapi, startInProcess } from '../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../helpers/records.ts';
import { fill, smallDisk } from '../../helpers/small-disk.ts';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';
import { waitFor } from '../../helpers/wait.ts';
import { hasEnded, operatorOf } from './fixture.ts';

test('a target that is lost behind the fence fails the order; calls that waited are answered, and the order can be given again', async (t) => {
  const { keys } = await postgresFor(t);
  const port = Number(keys.postgres['port']);
  const proxy = await startTcpProxy(port);
  t.teardown(() => proxy.close());
  const postgres = { ...keys.postgres, port: proxy.port, connectSeconds: 1, statementSeconds: 2, patienceSeconds: 2 };
  const server = await spawnImgapi(t, { postgres }, { fault: 'migrate:fenced=stop' });
  const pid = server.process.pid ?? 0;
  const alice = server.client({ account: ALICE });
  const { uuid } = await alice.createImage(MANIFEST);
  const operator = await operatorOf(server);
  await operator.adminMigrate({ kind: 'documents', to: 'postgres' });
  await waitFor('the fence', () => stateOf(pid) === 'T');
  proxy.trouble = { kind: 'refuse' };
  proxy.cutAll();
  const waiting = alice.updateImage(uuid, { description: 'waited' });
  process.kill(pid, 'SIGCONT');
  t.equal((await waiting).description, 'waited');
  t.match(await hasEnded(operator), { state: 'failed', error: /document store/ });
  await alice.updateImage(uuid, { description: 'later' });
  proxy.trouble = { kind: 'none' };
  await operator.adminMigrate({ kind: 'documents', to: 'postgres' });
  const ended = await hasEnded(operator);
  t.match(ended, { state: 'succeeded' }, ended.error ?? 'done');
  t.equal((await alice.getImage(uuid)).description, 'later');
  await server.stop();
});

test('a disk that fills on the way back to SQLite fails the order, and once there is room it succeeds', async (t) => {
  const dataDir = smallDisk(t, 40);
  if (dataDir === undefined) return;
  const { keys } = await postgresFor(t);
  const server = await startInProcess(t, keys, { dataDir });
  const { store } = server.imgapi.service;
  const key = newUuid();
  const description = 'x'.repeat(2000);
  for (let n = 0; n < 20; n++) {
    const uuids = Array.from({ length: 100 }, (_, i) => (n + i === 0 ? key : newUuid()));
    const value = (uuid: string) => unactivatedRecord(uuid, ALICE, { description });
    await store.batch(uuids.map((uuid) => ({ op: 'put', bucket: IMAGES, key: uuid, value: value(uuid) })));
  }
  const operator = await operatorOf(server);
  const empty = fill(dataDir);
  await operator.adminMigrate({ kind: 'documents', to: 'local' });
  t.match(await hasEnded(operator), { state: 'failed', error: /full/ });
  const alice = server.client({ account: ALICE });
  t.equal((await alice.updateImage(key, { description: 'still there' })).description, 'still there');
  empty();
  await operator.adminMigrate({ kind: 'documents', to: 'local' });
  const ended = await hasEnded(operator);
  t.match(ended, { state: 'succeeded', to: 'local' }, ended.error ?? 'done');
  t.equal((await alice.getImage(key)).description, 'still there');
  t.equal(await store.count(IMAGES), 2000);
  // What is left behind the fence goes with the next move.
  await operator.adminMigrate({ kind: 'documents', to: 'postgres' });
  t.match(await hasEnded(operator), { state: 'succeeded' });
});
