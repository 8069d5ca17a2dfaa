/** What a process that was killed was doing is taken over by another one of the same host without waiting for leases. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import type { TaskStatus } from '#lib/api/schemas/maintenance.ts';
import { ALICE } from '../helpers/accounts.ts';
import { MiB, secondProcess, startCloud, startSite } from '../helpers/cloud.ts';
import { MANIFEST, makeImage, sha1Of } from '../helpers/images.ts';
import { assertMoved, assertSound, readDocuments, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 24 * MiB;
/** No test waits for the end of these. */
const LONG = { copies: { leaseSeconds: 3600 }, tasks: { leaseSeconds: 3600 } };
const skip = process.platform !== 'linux' && 'only Linux tells whether a process has died';

test('A copy whose process is killed, twice, goes on in the other one at once', { skip }, async (t) => {
  const { east, west } = await startCloud(t, { west: LONG });
  const other = await secondProcess(t, west, LONG);
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  const before = east.network.received;
  east.network.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
  await west.order(image.uuid, east.name);
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 8);
  await other.start();
  const watch = watchImages(t, other, [image.uuid]);
  const killed = performance.now();
  await west.kill();
  await other.reaches(image.uuid, ({ images }) => images[0]?.attempt === 2);
  const takenOver = performance.now();
  await other.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 4);
  // The start may take its time: the copy must not be done before the second kill.
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB / 4 };
  await west.start();
  await other.kill();
  await west.reaches(image.uuid, ({ images }) => images[0]?.attempt === 3);
  east.network.trouble = { kind: 'none' };
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  t.comment(
    `taken over after ${Math.round(takenOver - killed)} ms, done ${Math.round(performance.now() - killed)} ms after the first kill`,
  );
  assertMoved(t, east.network.received - before, SIZE);
  await watch.end();
  await assertSound(t, west);
});

test('The only process of a datacenter, killed and started again, has bytes flow as soon as it answers', {
  skip,
}, async (t) => {
  const { east, west } = await startCloud(t, { west: LONG });
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 2 * MiB };
  await west.order(image.uuid, east.name);
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 8);
  await west.kill();
  const leases = (await readDocuments(west)).transfers.map(({ lease }) => lease);
  t.equal(leases.length, 1, 'the transfer is still held by the process that was killed');
  const received = east.network.received;
  await west.start();
  await west.operator.ping();
  const answered = performance.now();
  await waitFor('bytes to flow', () => east.network.received > received + MiB / 4);
  const waited = performance.now() - answered;
  const left = (leases[0]?.until ?? 0) - Date.now();
  t.ok(left > 100 * waited, `bytes came ${Math.round(waited)} ms after /ping; the lease had ${left} ms left`);
  east.network.trouble = { kind: 'none' };
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  await assertSound(t, west);
});

for (const fault of ['rename:reserved=kill', 'rename:placed=kill']) {
  test(`An image that was to get another UUID when its process died (${fault}) gets it at once`, {
    skip,
  }, async (t) => {
    const site = await startSite(t, 'us-east', LONG);
    const { image } = await makeImage(site.operator, {}, { owner: ALICE, activate: false });
    const to = randomUUID();
    await site.restart({ fault });
    await t.rejects(site.operator.updateImage(image.uuid, { uuid: to }));
    await site.diesByItself();
    await site.start();
    // A 409 would say that the first request still has the UUID.
    t.equal((await site.operator.updateImage(image.uuid, { uuid: to })).uuid, to);
    await assertSound(t, site);
  });
}

for (const fault of ['upload:intent-recorded=kill', 'upload:placed=kill']) {
  test(`An upload whose process died (${fault}) makes nobody wait`, { skip }, async (t) => {
    const site = await startSite(t, 'us-east', LONG);
    const { uuid } = await site.alice.createImage(MANIFEST);
    await site.restart({ fault });
    const bytes = Buffer.alloc(100_000, 7);
    const upload = { compression: 'none', sha1: sha1Of(bytes), size: bytes.length } as const;
    await t.rejects(site.alice.addImageFile(uuid, Readable.from([bytes]), upload));
    await site.diesByItself();
    await site.start();
    // A 409 would say that the first upload still has the file.
    t.equal((await site.alice.addImageFile(uuid, Readable.from([bytes]), upload)).files[0]?.sha1, sha1Of(bytes));
    t.equal((await site.alice.activateImage(uuid)).state, 'active');
    await assertSound(t, site);
  });
}

test('A task whose process was killed is run by the other one', { skip }, async (t) => {
  const site = await startSite(t, 'us-east', LONG);
  const other = await secondProcess(t, site, LONG);
  await site.restart({ fault: 'task:claimed=kill' });
  await site.diesByItself();
  await other.start();
  await waitFor('all tasks to have run', async () => {
    const tasks = await other.administer<TaskStatus[]>('GET', '/tasks');
    return tasks.every(({ last_run: last }) => last !== undefined);
  });
  t.pass();
});
