/** Others have filled the disk to the last byte: whatever frees space must still work, and nothing may be lost. */
import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { archivePath, imageObjectPath } from '#lib/manifest/object-paths.ts';
import { deleteImage } from '#src/images/delete.ts';
import { finishDeletes } from '#src/images/record/tombstones.ts';
import { cleanUp } from '#src/maintenance/clean-up.ts';
import { listeningUrls } from '#src/service/config/listening.ts';
import { ALICE } from '../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { type InProcess, startInProcess } from '../helpers/imgapi.ts';
import { storeLater } from '../helpers/later.ts';
import { bytesFree, fill, smallDisk } from '../helpers/small-disk.ts';

const MiB = 2 ** 20;
const FULL = { statusCode: 507, code: 'InsufficientStorage' };
const GONE = { statusCode: 404, code: 'ResourceNotFound' };
const { signal } = new AbortController();

function start(t: Test, dataDir: string): Promise<InProcess> {
  return startInProcess(t, { storage: { headroomBytes: MiB } }, { dataDir });
}

function isStored({ dataDir }: InProcess, path: string): boolean {
  return existsSync(join(dataDir, 'storage', path));
}

async function archived({ dataDir }: InProcess, uuid: string): Promise<unknown> {
  return JSON.parse(await readFile(join(dataDir, 'storage', archivePath(uuid)), 'utf8'));
}

test('images are deleted on a full disk, and their room can be used', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const server = await start(t, dataDir);
  const alice = server.client({ account: ALICE });
  const made = [];
  for (let i = 0; i < 4; i++) made.push((await makeImage(alice, { version: String(i) }, { size: 8 * MiB })).image);
  fill(dataDir);
  t.equal(bytesFree(dataDir), 0);
  for (const turn of [1, 2]) {
    await t.rejects(alice.createImage(MANIFEST), FULL, `nothing is made, ${turn}`);
    await t.rejects(alice.updateImage(made[0]!.uuid, { description: 'new' }), FULL);
  }
  t.equal((await alice.listImages({ owner: ALICE })).length, 4, 'all is read');
  await Promise.all(made.slice(1).map(({ uuid }) => alice.deleteImage(uuid)));
  for (const { uuid, version } of made.slice(1)) {
    await t.rejects(alice.getImage(uuid), GONE);
    t.notOk(isStored(server, imageObjectPath(uuid, 'file0')));
    t.match(await archived(server, uuid), { uuid, version });
  }
  t.ok(bytesFree(dataDir) > 20 * MiB);
  const { image } = await makeImage(alice, { version: '5' }, { size: 4 * MiB });
  t.equal((await alice.updateImage(made[0]!.uuid, { description: 'new' })).description, 'new');
  fill(dataDir);
  await alice.deleteImage(image.uuid);
  t.pass('and so the next time: what deletions need was set aside again');
});

test('a server starts on a full disk, and frees it', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const before = await start(t, dataDir);
  const { image } = await makeImage(before.client({ account: ALICE }), {}, { size: 24 * MiB });
  await before.imgapi.close();
  fill(dataDir);
  const server = await start(t, dataDir);
  const alice = server.client({ account: ALICE });
  t.equal((await alice.getImage(image.uuid)).uuid, image.uuid);
  await alice.deleteImage(image.uuid);
  t.notOk(isStored(server, imageObjectPath(image.uuid, 'file0')));
  await makeImage(alice, {}, { size: MiB });
});

test('a server starts again and again on a disk that others keep full, and each time an image goes', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  let server = await start(t, dataDir);
  const made = [];
  for (let i = 0; i < 3; i++) {
    made.push((await makeImage(server.client({ account: ALICE }), { version: String(i) }, { size: MiB })).image);
  }
  for (const { uuid } of made) {
    fill(dataDir);
    await server.client({ account: ALICE }).deleteImage(uuid);
    fill(dataDir);
    await server.imgapi.close();
    fill(dataDir);
    server = await start(t, dataDir);
    t.strictSame(await listeningUrls(dataDir), [server.url], 'and imgapiadm finds it');
    await t.rejects(server.client({ account: ALICE }).getImage(uuid), GONE);
  }
});

test('a server that has nothing left to give up says so in one sentence, and loses nothing', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const before = await start(t, dataDir);
  const { image } = await makeImage(before.client({ account: ALICE }), {}, { size: MiB });
  await before.imgapi.close();
  rmSync(join(dataDir, 'imgapi.db-reserve'));
  const empty = fill(dataDir);
  await t.rejects(start(t, dataDir), {
    name: 'ConfigError',
    message: /dataDir: the disk of \S+ is full, .*: free a megabyte on it/,
  });
  empty();
  const server = await start(t, dataDir);
  t.equal((await server.client({ account: ALICE }).getImage(image.uuid)).uuid, image.uuid);
});

test('all that is there to be cleaned up goes on a full disk', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const server = await start(t, dataDir);
  const { service } = server.imgapi;
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice, {}, { size: MiB });
  await alice.addImageIcon(image.uuid, Buffer.alloc(1000), 'image/png');
  await server.client().createImageFilePullUrl(image.uuid);
  const path = imageObjectPath(image.uuid, 'file0');
  const writer = await service.storages.named('local').open({ path, session: 'upload.dead' });
  await writer.append(Readable.from([Buffer.alloc(MiB)]));
  await writer.close();
  fill(dataDir);
  await alice.deleteImageIcon(image.uuid);
  const days = 10 * 24 * 3600 * 1000;
  const later = { ...service, store: storeLater(service.store, days) };
  const report = await cleanUp(later, { dryRun: false, eager: true, signal });
  t.match(report, { pulls: { objects: [{}], links: [{}], failed: [] }, staging: { sessions: [{ size: MiB }] } });
  t.ok(bytesFree(dataDir) >= MiB);
});

test('what was deleted while there was no room for its manifest is archived when there is', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const server = await start(t, dataDir);
  const alice = server.client({ account: ALICE });
  const { uuid } = await alice.createImage({ ...MANIFEST, description: 'x'.repeat(500) });
  const { service } = server.imgapi;
  const empty = fill(dataDir);
  const faults = {
    async reach(point: string) {
      // Takes even the space that the deletion has freed.
      if (point === 'delete:bytes-gone') fill(dataDir);
    },
  };
  const deletePlaceholder = () => Promise.reject(new Error('it is none'));
  await deleteImage({ ...service, faults }, { uuid, viewer: { account: ALICE }, deletePlaceholder });
  await t.rejects(alice.getImage(uuid), GONE);
  t.notOk(isStored(server, archivePath(uuid)), 'there is no room for it yet');
  empty();
  await finishDeletes(service);
  t.match(await archived(server, uuid), { uuid, name: MANIFEST.name });
  t.equal(await finishDeletes(service), 0);
});
