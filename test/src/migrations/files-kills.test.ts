/** The process that moves the files is killed; the next one goes on, until `local` can be left out. */
import { test } from 'tap';
import { s3For } from '../../engines/s3.ts';
import { ADMIN } from '../../helpers/accounts.ts';
import { bytesOf } from '../../helpers/datacenter.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { hasEnded, operatorOf } from './fixture.ts';

test('files whose move is killed again and again arrive in S3, and the service then does without local files', async (t) => {
  const { keys, server: s3, prefix } = await s3For(t);
  let server = await spawnImgapi(t, keys);
  const { dataDir } = server;
  const made = await Promise.all(
    Array.from({ length: 6 }, () => makeImage(server.client(), {}, { owner: ADMIN, size: 200_000 })),
  );
  await server.stop();
  const faults = ['move:claimed', 'upload:intent-recorded@2', 'upload:placed', 'move:recorded@2', 'former:removed'];
  for (const [at, fault] of faults.entries()) {
    const [name = '', count] = fault.split('@');
    const setting = `${name}=kill${count === undefined ? '' : `@${count}`}`;
    server = await spawnImgapi(t, keys, { dataDir, fault: setting });
    if (at === 0) await (await operatorOf(server)).adminMigrate({ kind: 'files', to: 's3' });
    await server.gone;
  }
  server = await spawnImgapi(t, keys, { dataDir });
  const ended = await hasEnded(await operatorOf(server), 'files');
  t.match(ended, { state: 'succeeded', total: 6, done: 6, failed: [] }, ended.error ?? 'done');
  await server.stop();

  server = await spawnImgapi(t, { ...keys, storageTypes: ['s3'] }, { dataDir });
  for (const { image, bytes } of made) {
    const { stream } = await server.client().getImageFile(image.uuid);
    t.ok((await bytesOf(stream)).equals(bytes));
  }
  const later = await makeImage(server.client(), {}, { owner: ADMIN, size: 1000 });
  const held = (await s3.keys(`${prefix}/images/`)).map((key) => key.split('/').at(-2));
  t.same(held.toSorted(), [...made, later].map(({ image }) => image.uuid).toSorted());
  await server.stop();
});
