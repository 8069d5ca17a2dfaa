/** The process that moves the documents is killed at the worst moments; another one goes on, whichever store they are in. */
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { Clients, hasEnded, operatorOf, startMoray } from './fixture.ts';

for (const fault of ['migrate:copied', 'migrate:fenced', 'migrate:verified', 'migrate:done']) {
  test(`a process that is killed at ${fault} is followed by another, and nothing that was acknowledged is lost`, async (t) => {
    const { keys } = await startMoray(t);
    const doomed = await spawnImgapi(t, keys, { fault: `${fault}=kill` });
    const images = doomed.client({ account: ALICE });
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, n) => images.createImage({ ...MANIFEST, description: `${n}` })),
    );
    await (await operatorOf(doomed)).adminMigrate({ kind: 'documents', to: 'moray' });
    await doomed.gone;
    const heir = await spawnImgapi(t, keys, { dataDir: doomed.dataDir });
    const clients = new Clients([heir]);
    const ended = await hasEnded(await operatorOf(heir));
    t.match(ended, { state: 'succeeded', to: 'moray' }, ended.error ?? 'done');
    await clients.stop();
    t.same(clients.failures, []);
    t.same(await clients.lost(heir), []);
    for (const { uuid, description } of made) {
      t.equal((await heir.client({ account: ALICE }).getImage(uuid)).description, description);
    }
  });
}

test('a target that is away fails the order and nothing else, and the same order goes on when it is back', async (t) => {
  const { moray, keys } = await startMoray(t);
  const server = await spawnImgapi(t, { moray: { ...keys.moray, startSeconds: 1, timeoutSeconds: 1 } });
  const alice = server.client({ account: ALICE });
  const { uuid } = await alice.createImage(MANIFEST);
  const operator = await operatorOf(server);
  await moray.stop();
  await operator.adminMigrate({ kind: 'documents', to: 'moray' });
  t.match(await hasEnded(operator), { state: 'failed', error: /./ });
  await alice.updateImage(uuid, { description: 'still here' });
  await moray.start();
  await operator.adminMigrate({ kind: 'documents', to: 'moray' });
  t.match(await hasEnded(operator), { state: 'succeeded' });
  t.equal((await alice.getImage(uuid)).description, 'still here');
});

test('a target that holds something else is refused', async (t) => {
  const { keys } = await startMoray(t);
  const stranger = await spawnImgapi(t, { ...keys, databaseType: 'moray' });
  await stranger.client({ account: ALICE }).createImage(MANIFEST);
  await stranger.stop();
  const server = await spawnImgapi(t, keys);
  const operator = await operatorOf(server);
  await operator.adminMigrate({ kind: 'documents', to: 'moray' });
  t.match(await hasEnded(operator), { state: 'failed', error: /not empty/ });
});
