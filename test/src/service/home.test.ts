/** Documents are one datacenter's, and a copy of a folder is not served beside the first. */
import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { lookAtStores } from '#src/cli/imgapiadm/doctor/look-at-stores.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { startS3Double } from '../../doubles/s3/server.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { bytesOf } from '../../helpers/datacenter.ts';
import { makeImage } from '../../helpers/images.ts';
import { type ConfigKeys, configKeys, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';

const EAST = { datacenterName: 'us-east' };
const WEST = { datacenterName: 'us-west' };
const FOREIGN =
  /the documents are those of datacenter "us-east", not of "us-west": give each .* set formerDatacenterName to "us-east"/;

async function problems(dataDir: string, keys: ConfigKeys): Promise<string[]> {
  const { config } = await loadConfig(undefined, await configKeys(dataDir, keys));
  return (await lookAtStores(config)).findings.map(({ problem, mend }) => `${problem}: ${mend}`);
}

test('a second datacenter that is given the data of the first is refused, and doctor says it', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const east = await startInProcess(t, EAST, { dataDir });
  await startInProcess(t, EAST, { dataDir });
  await t.rejects(startInProcess(t, WEST, { dataDir }), { name: 'ConfigError', message: FOREIGN });
  t.match(await problems(dataDir, WEST), [FOREIGN]);
  t.same(await problems(dataDir, EAST), []);
  await makeImage(east.client({ account: ALICE }));
});

test('a server that is none of a datacenter is refused what is one, whose images it would not show', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  await (await startInProcess(t, EAST, { dataDir })).imgapi.close({ patience: 0 });
  const alone = { mode: 'public', authType: 'none' };
  const refused =
    /"us-east", whose images a server in mode "public" .*: set mode to "dc" and datacenterName to "us-east"/;
  await t.rejects(startInProcess(t, alone, { dataDir }), { name: 'ConfigError', message: refused });
  t.match(await problems(dataDir, alone), [refused]);
  const none = await startInProcess(t, { ...alone, formerDatacenterName: 'us-east' }, { dataDir });
  await none.imgapi.close({ patience: 0 });
  await startInProcess(t, alone, { dataDir });
});

test('a datacenter is renamed by naming what it was called, and the old name is refused then', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const before = await startInProcess(t, EAST, { dataDir });
  await before.imgapi.close({ patience: 0 });
  const renamed = await startInProcess(t, { ...WEST, formerDatacenterName: 'us-east' }, { dataDir });
  await renamed.imgapi.close({ patience: 0 });
  await startInProcess(t, WEST, { dataDir });
  await t.rejects(startInProcess(t, EAST, { dataDir }), /those of datacenter "us-west", not of "us-east"/);
});

test('a copy of a data folder is refused while a server runs on the first, and follows it afterwards', async (t) => {
  const folder = await temporaryFolder(t);
  const [first, copy, moved] = ['first', 'copy', 'moved'].map((name) => join(folder, name)) as [string, string, string];
  const server = await startInProcess(t, EAST, { dataDir: first });
  const { image } = await makeImage(server.client({ account: ALICE }));
  await cp(first, copy, { recursive: true });
  const refused = new RegExp(
    `${copy} is a copy of ${first}, on which a server runs \\(${server.url}\\): .*stop that one`,
  );
  await t.rejects(startInProcess(t, EAST, { dataDir: copy }), { name: 'ConfigError', message: refused });
  t.match(await problems(copy, EAST), [refused]);
  t.same(await problems(first, EAST), []);
  await server.imgapi.close({ patience: 0 });
  t.match(await problems(copy, EAST), [/is still there: remove that, or start no server on it again/]);
  const follower = await startInProcess(t, EAST, { dataDir: copy });
  t.equal((await follower.client().getImage(image.uuid)).uuid, image.uuid);
  await follower.imgapi.close({ patience: 0 });
  await rename(copy, moved);
  await startInProcess(t, EAST, { dataDir: moved });
  t.same(await problems(moved, EAST), []);
});

test('a data folder is refused while a server runs on the backup that was restored in its place', async (t) => {
  const folder = await temporaryFolder(t);
  const [data, backup, old] = ['data', 'backup', 'old'].map((name) => join(folder, name)) as [string, string, string];
  const first = await startInProcess(t, EAST, { dataDir: data });
  await first.imgapi.close({ patience: 0 });
  await cp(data, backup, { recursive: true });
  await rename(data, old);
  await cp(backup, data, { recursive: true });
  const server = await startInProcess(t, EAST, { dataDir: data });
  const refused = new RegExp(`${old} was replaced by ${data}, on which a server runs \\(${server.url}\\)`);
  await t.rejects(startInProcess(t, EAST, { dataDir: old }), { name: 'ConfigError', message: refused });
  t.match(await problems(old, EAST), [refused]);
  t.same(await problems(data, EAST), []);
  await server.imgapi.close({ patience: 0 });
  await startInProcess(t, EAST, { dataDir: old });
});

test('a folder that was moved is served beside another datacenter that began in its old place', async (t) => {
  const folder = await temporaryFolder(t);
  const [data, moved] = ['data', 'moved'].map((name) => join(folder, name)) as [string, string];
  const first = await startInProcess(t, EAST, { dataDir: data });
  await first.imgapi.close({ patience: 0 });
  await rename(data, moved);
  await startInProcess(t, WEST, { dataDir: data });
  await startInProcess(t, EAST, { dataDir: moved });
  t.same(await problems(moved, EAST), []);
});

test('a renamed datacenter whose files lie below its old name in a bucket is told so, and finds them there', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const double = await startS3Double();
  t.teardown(() => double.close());
  const s3 = { endpoint: double.endpoint, region: 'us-east-1', bucket: double.bucketName, ...double.credentials };
  const inBucket = { storageTypes: ['s3'], s3 };
  const before = await startInProcess(t, { ...EAST, ...inBucket }, { dataDir });
  const { image, bytes } = await makeImage(before.client({ account: ALICE }));
  await before.imgapi.close({ patience: 0 });
  const renamed = { ...WEST, formerDatacenterName: 'us-east' };
  await t.rejects(
    startInProcess(t, { ...renamed, ...inBucket }, { dataDir }),
    /s3\.prefix say imgapi\/ and the old name/,
  );
  const prefixed = { storageTypes: ['s3'], s3: { ...s3, prefix: 'imgapi/us-east' } };
  const after = await startInProcess(t, { ...renamed, ...prefixed }, { dataDir });
  t.match(await after.client().getImage(image.uuid), { uuid: image.uuid, state: 'active' });
  const { stream } = await after.client().getImageFile(image.uuid);
  t.ok((await bytesOf(stream)).equals(bytes));
});

test('files that were brought to another bucket are found in it once it has the identity that is known', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const [first, second] = await Promise.all([startS3Double(), startS3Double()]);
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const keysOf = ({ endpoint, bucketName: bucket, credentials }: typeof first) => ({
    ...EAST,
    storageTypes: ['s3'],
    s3: { endpoint, region: 'us-east-1', bucket, ...credentials },
  });
  await (await startInProcess(t, keysOf(first), { dataDir })).imgapi.close({ patience: 0 });
  for (const [key, object] of first.bucket.objects) {
    if (key.startsWith('imgapi/us-east/')) second.bucket.objects.set(key, object);
  }
  const refused =
    /identity (\S+), since .* write the identity that the documents know into .*\.identity beside s3\.prefix/;
  await t.rejects(startInProcess(t, keysOf(second), { dataDir }), refused);
  const identity = first.bucket.objects.get('imgapi/.identity');
  if (identity) second.bucket.objects.set('imgapi/.identity', identity);
  await startInProcess(t, keysOf(second), { dataDir });
});
