/** The disk is full, or has no room for an upload. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { MiB, startCloud, startSite } from '../helpers/cloud.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { assertMoved, assertSound } from '../helpers/invariants.ts';
import { bytesFree, smallDisk } from '../helpers/small-disk.ts';
import { waitFor } from '../helpers/wait.ts';
import { slowUpload } from '../src/images/files/slow-upload.ts';

const SIZE = 24 * MiB;

test('A copy that does not fit', async (t) => {
  const { east, west } = await startCloud(t, { west: { storage: { quotaBytes: 40 * MiB } } });

  await t.test('is refused at once, with the numbers, and leaves nothing', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: 48 * MiB });
    await t.rejects(west.order(image.uuid, east.name), {
      code: 'InsufficientStorage',
      statusCode: 507,
      message: new RegExp(`${48 * MiB} bytes`),
    });
    await t.rejects(west.operator.getImage(image.uuid), { code: 'ResourceNotFound' });
    await assertSound(t, west);
  });

  await t.test('any more fails with the numbers, and goes on with its bytes once there is room', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: SIZE });
    east.network.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
    const before = east.network.received;
    await west.order(image.uuid, east.name);
    await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 2);
    await west.restart({ keys: { storage: { quotaBytes: 20 * MiB } } });
    const failed = await west.ended(image.uuid);
    t.match(failed, { state: 'failed', error: { code: 'InsufficientStorage', message: /\d{7,} bytes/ } });
    t.match(await west.alice.getImage(image.uuid), { state: 'failed', error: { code: 'InsufficientStorage' } });
    await assertSound(t, west);
    await west.restart({ keys: { storage: { quotaBytes: 100 * MiB } } });
    t.match(await west.copy(image.uuid, east.name), { state: 'succeeded' });
    assertMoved(t, east.network.received - before, SIZE);
    await assertSound(t, west);
  });
});

test('An upload that just fits leaves room for documents, and for its own removal', async (t) => {
  const dataDir = smallDisk(t, 80);
  if (dataDir === undefined) return;
  const headroomBytes = 24 * MiB;
  const server = await startInProcess(t, { storage: { headroomBytes } }, { dataDir });
  const alice = server.client({ account: ALICE });
  const free = (await server.imgapi.service.storages.named('local').free()) ?? 0;
  // Leaves a little for the documents that are written meanwhile.
  const size = free - MiB;
  const { image } = await makeImage(alice, {}, { size });
  t.ok(bytesFree(dataDir) > headroomBytes / 2);
  const { uuid } = await alice.createImage(MANIFEST);
  const upload = alice.addImageFile(uuid, Readable.from([randomBytes(2 * MiB)]), { compression: 'none' });
  await t.rejects(upload, { code: 'InsufficientStorage', statusCode: 507 });
  t.equal((await alice.updateImage(image.uuid, { description: 'still written' })).description, 'still written');
  await alice.deleteImage(image.uuid);
  await alice.addImageFile(uuid, Readable.from([randomBytes(2 * MiB)]), { compression: 'none' });
  await alice.activateImage(uuid);
});

test('An upload that is announced and does not come keeps nobody out', async (t) => {
  const server = await startInProcess(t, { storage: { quotaBytes: 8 * MiB } });
  const alice = server.client({ account: ALICE });
  const { uuid } = await alice.createImage(MANIFEST);
  const length = { 'content-length': String(7 * MiB) };
  const silent = slowUpload(`${server.url}/images/${uuid}/file?account=${ALICE}&compression=none`, length);
  silent.request.flushHeaders();
  const local = server.imgapi.service.storages.named('local');
  await waitFor('it to be reserved', async () => ((await local.free()) ?? 0) < 2 * MiB);
  const bytes = randomBytes(4 * MiB);
  const { image } = await waitFor('others to have the room', () =>
    makeImage(alice, {}, { bytes }).catch((error: unknown) => {
      t.match(error, { code: 'InsufficientStorage' });
      return undefined;
    }),
  );
  t.equal(image.state, 'active');
  silent.cut();
});

test('An upload that does not fit', async (t) => {
  const site = await startSite(t, 'us-east', { storage: { quotaBytes: 8 * MiB } });
  const { image } = await makeImage(site.alice, {}, { size: 3 * MiB });
  for (const { said, size } of [
    { said: 'is refused before a byte flows when it says its size', size: 6 * MiB },
    { said: 'ends when the room does when it does not', size: undefined },
  ]) {
    await t.test(said, async (t) => {
      const { uuid } = await site.alice.createImage(MANIFEST);
      const upload = site.alice.addImageFile(uuid, Readable.from([randomBytes(6 * MiB)]), {
        compression: 'none',
        ...(size === undefined ? {} : { size }),
      });
      await t.rejects(upload, { code: 'InsufficientStorage', statusCode: 507, message: /bytes/ });
      await assertSound(t, site);
      await site.alice.addImageFile(uuid, Readable.from([randomBytes(MiB)]), { compression: 'none' });
      await site.alice.activateImage(uuid);
    });
  }
  await site.alice.deleteImage(image.uuid);
  const { uuid } = await site.alice.createImage(MANIFEST);
  await site.alice.addImageFile(uuid, Readable.from([randomBytes(5 * MiB)]), { compression: 'none', size: 5 * MiB });
  t.pass('what was deleted makes room');
  await assertSound(t, site);
});
