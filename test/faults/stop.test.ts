/** After SIGTERM, work under way is finished or handed over. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { MiB, secondProcess, startCloud, startSite } from '../helpers/cloud.ts';
import { MANIFEST, makeImage, sha1Of } from '../helpers/images.ts';
import { assertMoved, assertSound, sha1Served, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';
import { slowUpload } from '../src/images/files/slow-upload.ts';

const SIZE = 24 * MiB;

test('A server that is told to stop gives its copies back at once', async (t) => {
  // The lease is so long that another process can take over soon only if the lease was released.
  const keys = { copies: { leaseSeconds: 600 } };
  const { east, west } = await startCloud(t, { west: keys });
  const other = await secondProcess(t, west, keys);
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 8 * MiB };
  const before = east.network.received;
  await west.order(image.uuid, east.name);
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 3);
  // Slow enough that the copy is still under way once the other process is up, however long that takes.
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB / 8 };
  await other.start();
  const watch = watchImages(t, other, [image.uuid]);
  t.equal(await west.server.stop(), 0);
  east.network.trouble = { kind: 'slow', bytesPerSecond: 8 * MiB };
  await other.reaches(image.uuid, ({ images }) => images[0]?.attempt === 2);
  t.equal((await other.ended(image.uuid)).state, 'succeeded');
  assertMoved(t, east.network.received - before, SIZE);
  await watch.end();
  await assertSound(t, other);
});

test('A server that is told to stop lets a download end', async (t) => {
  const site = await startSite(t, 'us-east');
  const { image, bytes } = await makeImage(site.alice, {}, { size: SIZE });
  site.front.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
  const before = site.front.received;
  const download = sha1Served(site.alice, image.uuid);
  await waitFor('bytes to flow', () => site.front.received - before > SIZE / 4);
  const [sha1, status] = await Promise.all([download, site.server.stop()]);
  t.equal(sha1, sha1Of(bytes));
  t.equal(status, 0);
});

test('A server that is told to stop cuts an upload that does not end, and leaves none of it', async (t) => {
  const site = await startSite(t, 'us-east', { shutdown: { seconds: 10 } });
  const { uuid } = await site.alice.createImage(MANIFEST);
  const length = { 'content-length': String(SIZE) };
  const upload = slowUpload(`${site.server.url}/images/${uuid}/file?account=${ALICE}&compression=none`, length);
  const staging = join(site.dataDir, 'storage/staging');
  const staged = async () => (await readdir(staging)).filter((name) => name.startsWith('upload.'));
  await upload.write(Buffer.alloc(SIZE / 2));
  await waitFor('bytes to be staged', async () => (await staged()).length === 1);
  t.equal(await site.server.stop(), 0);
  t.same(await staged(), []);
});

test('A server that is told to stop while it starts to work leaves nothing behind', async (t) => {
  const { east, west } = await startCloud(t);
  const { image } = await makeImage(east.alice, {}, { size: MiB });
  for (let turn = 0; turn < 3; turn++) {
    await west.order(image.uuid, east.name);
    t.equal(await west.server.stop(), 0);
    await west.start();
  }
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  await assertSound(t, west);
});
