/** The documents know which store they mean by each name, and a process that has another one does no harm. */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { storesIn } from '../../doubles/stores.ts';
import { sharedStores } from '../../engines/shared-stores.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

test('a data folder is itself wherever it is moved or copied to', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await startInProcess(t, {}, { dataDir: join(folder, 'one') });
  const { image } = await makeImage(first.client({ account: ALICE }));
  await first.imgapi.close({ patience: 0 });
  await cp(join(folder, 'one'), join(folder, 'copy'), { recursive: true });
  await rename(join(folder, 'one'), join(folder, 'two'));
  for (const name of ['two', 'copy']) {
    const server = await startInProcess(t, {}, { dataDir: join(folder, name) });
    t.equal((await server.client().getImage(image.uuid)).uuid, image.uuid);
    await server.imgapi.close({ patience: 0 });
  }
});

test('documents of another machine with local files refuse the files of this one', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  await (await startInProcess(t, {}, { dataDir })).imgapi.close({ patience: 0 });
  await rename(join(dataDir, 'storage'), join(folder, 'storage of the first machine'));
  await t.rejects(startInProcess(t, {}, { dataDir }), {
    name: 'ConfigError',
    message:
      /^storageTypes: the documents know another store as "local" \(identity \S{36}, since \S+Z\) than the one that is configured here .*Processes on several machines share no local files: leave "local" out of storageTypes/,
  });
});

test('another bucket under a known name is refused, and the right one is taken again', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const right = storesIn(join(folder, 'right'), ['local', 's3']);
  await (await startInProcess(t, {}, { dataDir, stores: right })).imgapi.close({ patience: 0 });
  const wrong = storesIn(join(folder, 'wrong'), ['local', 's3']);
  await t.rejects(
    startInProcess(t, {}, { dataDir, stores: wrong }),
    /another store as "s3" .*Configure the same bucket/,
  );
  await startInProcess(t, {}, { dataDir, stores: right });
});

test('a store that comes late and turns out to be another one is never used', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const types = ['local', 's3'] as const;
  await (await startInProcess(t, {}, { dataDir, stores: storesIn(join(folder, 'right'), types) })).imgapi.close({
    patience: 0,
  });
  const wrong = storesIn(join(folder, 'wrong'), types);
  let isDown = true;
  const open: typeof wrong.open = async (type, opening) => {
    if (type === 's3' && isDown) throw new ObjectStoreUnavailableError('ECONNREFUSED');
    return wrong.open(type, opening);
  };
  const server = await startInProcess(t, {}, { dataDir, stores: { types, open } });
  isDown = false;
  const message = await waitFor('the store to be looked at', async () => {
    const problem = await makeImage(server.client({ account: ALICE })).catch((error: Error) => error.message);
    return typeof problem === 'string' && problem.includes('another store') && problem;
  });
  t.match(message, /cannot be reached yet: storageTypes: the documents know another store as "s3"/);
});

test('two datacenters do not share a root, even in one bucket', async (t) => {
  const folder = await temporaryFolder(t);
  const stores = storesIn(join(folder, 'shared'), ['s3']);
  await startInProcess(t, {}, { dataDir: join(folder, 'one'), stores });
  await startInProcess(t, {}, { dataDir: join(folder, 'one'), stores });
  await t.rejects(startInProcess(t, {}, { dataDir: join(folder, 'two'), stores }), /"s3" belongs to other documents/);
});

test('a root without the mark of these documents is another one, although its bucket is the same', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const stores = storesIn(join(folder, 'shared'), ['s3']);
  await (await startInProcess(t, {}, { dataDir, stores })).imgapi.close();
  await rm(join(folder, 'shared', 's3', 'owner'));
  await t.rejects(startInProcess(t, {}, { dataDir, stores }), /"s3" is not what these documents keep their files in/);
});

sharedStores.withNpm.each(({ name, make }) => {
  test(`${name}: many processes that start at once on an empty store agree about it`, async (t) => {
    const { keys, stores } = await make(t);
    const dataDir = join(await temporaryFolder(t), 'data');
    const servers = await Promise.all(
      [1, 2, 3, 4].map(() => startInProcess(t, keys, { dataDir, ...(stores && { stores }) })),
    );
    await Promise.all(servers.map(({ imgapi }) => imgapi.close()));
    await startInProcess(t, keys, { dataDir, ...(stores && { stores }) });
  });
});
