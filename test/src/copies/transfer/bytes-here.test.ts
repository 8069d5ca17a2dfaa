/** Copies of images whose bytes another image here has already. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { statusOf } from '#src/copies/orders/status.ts';
import { FILE_HASHES, removeFileHashes } from '#src/images/files/file-hashes.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { putImage, putObject } from '../../../helpers/datacenter.ts';
import { type CopyPair, copyPair, ended, recordOf } from '../fixture.ts';

const SIZE = 1_000_000;

/** Copies an image of Alice; returns the order, and how many bytes came. */
async function copied(pair: CopyPair, bytes: Buffer) {
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, bytes);
  const before = pair.network.received;
  const order = await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  return { order, uuid: record.uuid, sha1, came: pair.network.received - before };
}

test('bytes that another image of the account has are linked and not fetched, and each image keeps its own', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { record: same, bytes } = await putImage(pair.dest, ALICE, {}, randomBytes(SIZE));
  const { order, uuid, sha1, came } = await copied(pair, bytes);
  t.match(order, { state: 'succeeded', members: [{ result: { via: 'here', bytes: SIZE } }] });
  t.ok(came < SIZE / 2, `${came} bytes came`);
  t.match(await statusOf(pair.service, order), {
    bytes_not_fetched: SIZE,
    images: [{ source: 'here', bytes_done: SIZE, bytes_not_fetched: SIZE }],
  });
  const local = pair.service.storages.named('local');
  await local.remove(imageObjectPath(same.uuid, 'file0'));
  t.equal((await local.hash(imageObjectPath(uuid, 'file0'))).sha1, sha1);
  t.match(await recordOf(pair.service, uuid), { activated: true, files: [{ sha1, size: SIZE }] });
  t.same(await local.list('copies'), []);
  t.same(await local.sessions(), []);
});

test('bytes of strangers are fetched, and those that are shared with the account or public are not', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const ways: readonly (readonly [Partial<ImageRecord>, string])[] = [
    [{}, 'pull-url'],
    [{ acl: [ALICE] }, 'here'],
    [{ public: true }, 'here'],
    [{ public: true, activated: false, state: 'unactivated' }, 'pull-url'],
  ];
  for (const [fields, via] of ways) {
    const { bytes } = await putImage(pair.dest, BOB, fields, randomBytes(SIZE));
    const { order, came } = await copied(pair, bytes);
    t.match(order, { state: 'succeeded', members: [{ result: { via } }] }, JSON.stringify(fields));
    t.equal(came > SIZE, via === 'pull-url', `${came} bytes came`);
    t.equal('bytes_not_fetched' in (await statusOf(pair.service, order)), via === 'here');
  }
});

test('a file that is quarantined, or not as its record says, is left alone and the bytes are fetched', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { bytes } = await putImage(pair.dest, ALICE, { quarantined: [0] }, randomBytes(SIZE));
  t.match((await copied(pair, bytes)).order, { members: [{ result: { via: 'pull-url' } }] });
  const rotten = await putImage(pair.dest, ALICE, {}, randomBytes(SIZE));
  const local = pair.service.storages.named('local');
  await putObject(local, imageObjectPath(rotten.record.uuid, 'file0'), randomBytes(SIZE));
  const { order, uuid, sha1 } = await copied(pair, rotten.bytes);
  t.match(order, { state: 'succeeded', members: [{ result: { via: 'pull-url', attempt: 1 } }] });
  t.equal((await local.hash(imageObjectPath(uuid, 'file0'))).sha1, sha1);
  t.same(await local.list('copies'), []);
});

test('what is noted of files goes when they are gone', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { order, uuid } = await copied(pair, randomBytes(1000));
  t.match(order, { state: 'succeeded' });
  t.equal(await removeFileHashes(pair.service), 0);
  const [noted] = await pair.service.store.find(FILE_HASHES, {});
  t.match(noted?.value, { image: uuid, index: 0 });
  await pair.service.store.batch([
    { op: 'put', bucket: FILE_HASHES, key: 'gone', value: { sha256: 'x', image: 'gone', index: 0 } },
  ]);
  t.equal(await removeFileHashes(pair.service), 1);
  t.equal(await pair.service.store.count(FILE_HASHES), 1);
});
