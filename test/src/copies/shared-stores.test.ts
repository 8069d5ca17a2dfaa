/** Copies between datacenters whose files lie in shared stores: by a link within one store, and across kinds of stores. */
import { type Test, test } from 'tap';
import { MANTA_MODES, mantaFor } from '../../engines/manta.ts';
import { s3For } from '../../engines/s3.ts';
import { type Cloud, MiB, secondProcess, startCloud } from '../../helpers/cloud.ts';
import { makeImage, sha1Of } from '../../helpers/images.ts';
import type { ConfigKeys } from '../../helpers/imgapi.ts';
import { assertSound, sha1Served } from '../../helpers/invariants.ts';

const SIZE = 6 * MiB;

async function s3Keys(t: Test, names: readonly [string, string]): Promise<readonly [ConfigKeys, ConfigKeys]> {
  const { keys, prefix } = await s3For(t);
  const parent = prefix.slice(0, prefix.lastIndexOf('/'));
  const of = (name: string): ConfigKeys => ({ ...keys, s3: { ...keys.s3, prefix: `${parent}/${name}` } });
  return [of(names[0]), of(names[1])];
}

async function inS3(t: Test): Promise<ConfigKeys> {
  return (await s3Keys(t, ['us-east', 'us-west']))[0];
}

/** Copies an image from east to west; returns by which way its bytes came. */
async function copied(t: Test, { east, west }: Cloud, stor: string): Promise<string | undefined> {
  const { image, bytes } = await makeImage(east.alice, {}, { size: SIZE });
  const status = await west.copy(image.uuid, east.name);
  t.match(status, { state: 'succeeded' });
  t.match(await west.operator.getImage(image.uuid, { inclAdminFields: true }), { files: [{ stor }] });
  t.equal(await sha1Served(west.alice, image.uuid), sha1Of(bytes));
  await east.alice.deleteImage(image.uuid);
  t.equal(await sha1Served(west.alice, image.uuid), sha1Of(bytes), 'after it was deleted at its source');
  return status.images[0]?.source;
}

for (const [when, lateMd5Bytes] of [
  ['before it is there', 2 * SIZE],
  ['when it is there', SIZE],
] as const) {
  test(`in one S3 bucket no byte of a copy moves, and the file is read ${when}`, async (t) => {
    const [east, west] = await s3Keys(t, ['us-east', 'us-west']);
    const cloud = await startCloud(t, { east, west: { ...west, uploads: { lateMd5Bytes } } });
    t.equal(await copied(t, cloud, 's3'), 'link');
    await assertSound(t, cloud.west);
  });
}

test('in S3, bytes that another image of the account has are copied by the store', async (t) => {
  const { east, west } = await startCloud(t, { west: await inS3(t) });
  const { image, bytes } = await makeImage(east.alice, {}, { size: SIZE });
  const { image: same } = await makeImage(west.alice, {}, { bytes });
  const before = east.network.received;
  const status = await west.copy(image.uuid, east.name);
  t.match(status, { state: 'succeeded', bytes_not_fetched: SIZE, images: [{ source: 'here' }] });
  t.ok(east.network.received - before < 100_000, `${east.network.received - before} bytes came`);
  await west.alice.deleteImage(same.uuid);
  t.equal(await sha1Served(west.alice, image.uuid), sha1Of(bytes));
  await assertSound(t, west);
});

for (const [mode, ways] of [
  ['Manta v1', ['link']],
  ['Manta v2', ['pull-url', 'imgapi']],
] as const) {
  test(`in one ${mode} the bytes of a copy come by ${ways.join(' or ')}`, async (t) => {
    const { keys } = await mantaFor(t, MANTA_MODES[mode]);
    const cloud = await startCloud(t, { east: keys, west: keys });
    const way = await copied(t, cloud, 'manta');
    t.ok((ways as readonly unknown[]).includes(way), `by ${way}`);
    await assertSound(t, cloud.west);
  });
}

test('copies go between stores of all kinds', async (t) => {
  for (const [from, to, stor] of [
    [await inS3(t), (await mantaFor(t)).keys, 'manta'],
    [{}, await inS3(t), 's3'],
    [await inS3(t), {}, 'local'],
  ] as const) {
    const cloud = await startCloud(t, { east: from, west: to });
    const way = await copied(t, cloud, stor);
    t.ok(way === 'pull-url' || way === 'imgapi', `${stor}: by ${way}`);
    await assertSound(t, cloud.west);
    await Promise.all([cloud.east.kill(), cloud.west.kill()]);
  }
});

test('another process goes on with a copy into S3 and its bytes', async (t) => {
  const [, keys] = await s3Keys(t, ['us-east', 'us-west']);
  const { east, west } = await startCloud(t, { west: keys });
  const other = await secondProcess(t, west, keys);
  const size = 24 * MiB;
  const { image, bytes } = await makeImage(east.alice, {}, { size });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 2 * MiB };
  await west.order(image.uuid, east.name);
  await other.start();
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > size / 4);
  await west.kill();
  east.network.trouble = { kind: 'none' };
  const status = await other.ended(image.uuid);
  t.match(status, { state: 'succeeded', images: [{ attempt: 2 }] });
  t.equal(await sha1Served(other.alice, image.uuid), sha1Of(bytes));
  await west.start();
  await assertSound(t, west);
});
