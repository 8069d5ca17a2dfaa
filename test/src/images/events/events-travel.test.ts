/** Events are among the documents: they are in a backup, and go along when the documents move to another engine. */
import { test } from 'tap';
import { postgresKinds } from '../../../engines/postgres/postgres-for.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { spawnImgapi } from '../../../helpers/imgapi.ts';
import { backUp, places, restore } from '../../cli/imgapiadm/commands/backup-fixture.ts';
import { hasEnded, operatorOf } from '../../migrations/fixture.ts';

test('Events are in a backup', async (t) => {
  const server = await spawnImgapi(t, { databaseType: 'local' });
  const { image } = await makeImage(server.client({ account: ALICE }));
  const told = await server.client({ account: ALICE }).listImageEvents(image.uuid);
  t.equal(told.length, 3);
  const { directory, restored } = await places(t);
  t.equal((await backUp(directory, server.dataDir)).code, 0);
  await server.stop();
  t.equal((await restore(directory, restored)).code, 0);
  const again = await spawnImgapi(t, { databaseType: 'local' }, { dataDir: restored });
  t.strictSame(await again.client({ account: ALICE }).listImageEvents(image.uuid), told);
});

test('Events go along to another engine', async (t) => {
  const { postgres } = (await postgresKinds.npm.placeFor(t)).keys;
  const server = await spawnImgapi(t, { databaseType: 'local', postgres });
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice);
  const told = await alice.listImageEvents(image.uuid);
  const operator = await operatorOf(server);
  await operator.adminMigrate({ kind: 'documents', to: 'postgres' });
  t.match(await hasEnded(operator), { state: 'succeeded', to: 'postgres' });
  t.strictSame(await alice.listImageEvents(image.uuid), told);
  await alice.updateImage(image.uuid, { description: 'after the move' });
  const [last, ...earlier] = await alice.listImageEvents(image.uuid);
  t.equal(last?.kind, 'update');
  t.strictSame(earlier, told);
});
