/** The process that moves the documents is killed at the worst moments; another one goes on, whichever store they are in. */
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { hasEnded, killed, MOVE_FAULTS, operatorOf, startMoray } from './fixture.ts';

test('a process that is killed on the way to Moray is followed by another, and nothing acknowledged is lost', async (t) => {
  const move = async (fault: string): Promise<void> => {
    const { keys } = await startMoray(t);
    const heir = await killed(t, keys, 'moray', { fault });
    await heir.stop();
  };
  // They wait most of the time.
  await Promise.all(MOVE_FAULTS.map(move));
});

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
