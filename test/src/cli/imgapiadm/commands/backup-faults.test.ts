/** Backups of damaged data, damaged backups, and work that is broken off. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { ALICE } from '../../../../helpers/accounts.ts';
import { MiB, startCloud } from '../../../../helpers/cloud.ts';
import { makeImage, sha1Of } from '../../../../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../../../../helpers/imgapi.ts';
import { sha1Served } from '../../../../helpers/invariants.ts';
import { fill, smallDisk } from '../../../../helpers/small-disk.ts';
import { runImgapiadm } from '../../capture.ts';
import { backUp, backUpTelling, configOn, objectOf, places, restore, verify } from './backup-fixture.ts';

test('what a damaged backup lacks is named, and fetched from a linked datacenter', async (t) => {
  const { east, west } = await startCloud(t);
  const { image, bytes } = await makeImage(east.alice);
  t.equal((await west.copy(image.uuid, east.name)).state, 'succeeded');
  const own = await makeImage(west.alice, { name: 'only-here' });
  const { directory } = await places(t);
  await backUp(directory, west.dataDir);
  const object = objectOf(directory, bytes);
  writeFileSync(object, randomBytes(bytes.length));
  await west.kill();
  await rm(west.dataDir, { recursive: true });

  const { code, stderr, stdout } = await runImgapiadm(['restore', directory, '--data-dir', west.dataDir]);
  t.equal(code, 1);
  t.match(stdout, /^2 images, /);
  t.match(
    stderr,
    new RegExp(`^missing: file0 of image ${image.uuid} \\(my-image\\): its \\d+ bytes in the backup have`),
  );
  t.match(stderr, `start the server, then: imgapiadm verify --repair --data-dir ${west.dataDir}\n`);
  await west.start();
  const { url, dataDir } = west.server;
  const repaired = await runImgapiadm(['verify', '--repair', '-u', url, '--data-dir', dataDir]);
  t.match(repaired, { code: 0, stdout: new RegExp(`${image.uuid} file0 my-image: repaired`) });
  t.equal(await sha1Served(west.alice, image.uuid), sha1Of(bytes));
  t.equal(await sha1Served(west.alice, own.image.uuid), sha1Of(own.bytes));
});

test('what a backup that was broken off has brought gives room to the next one', async (t) => {
  const disk = smallDisk(t, 16);
  if (disk === undefined) return;
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await makeImage(alice, { version: String(i) }, { size: 6 * MiB })).image);
  const directory = join(disk, 'backup');
  t.match(await backUp(directory, server.dataDir), { code: 1, stderr: /ENOSPC|is full/ });
  for (const { uuid } of made) await alice.deleteImage(uuid);
  const { bytes } = await makeImage(alice, { name: 'later' }, { size: 10 * MiB });
  t.match(await backUp(directory, server.dataDir), { code: 0, report: { images: 1, missing: [] } });
  const { restored } = await places(t);
  t.match(await restore(directory, restored), { code: 0 });
  t.ok(objectOf(directory, bytes));
});

test('a file that cannot be read is named, in the data and in the backup, and the rest goes its way', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const sound = await makeImage(alice, { name: 'sound' });
  const broken = await makeImage(alice, { name: 'broken' });
  const { directory, restored } = await places(t);
  const file = join(server.dataDir, 'storage', imageObjectPath(broken.image.uuid, 'file0'));
  // As a broken place of a disk, it can be opened and not be read.
  await rm(file);
  mkdirSync(file);
  const told = await runImgapiadm(['backup', directory, '--data-dir', server.dataDir]);
  t.match(told, { code: 1, stderr: new RegExp(`missing: file0 of image ${broken.image.uuid} .*it cannot be read`) });
  const object = objectOf(directory, sound.bytes);
  await rm(object);
  mkdirSync(object);
  const back = await restore(directory, restored);
  const missing = back.report.missing.map(({ name }: { name: string }) => name);
  t.match({ code: back.code, missing: missing.toSorted() }, { code: 1, missing: ['broken', 'sound'] });
  await server.kill();
  const again = await spawnImgapi(t, {}, { dataDir: restored });
  t.equal((await again.client({ account: ALICE }).getImage(sound.image.uuid)).name, 'sound');
});

test('a backup that is read again mends what was damaged in it', async (t) => {
  const server = await spawnImgapi(t);
  const { bytes } = await makeImage(server.client({ account: ALICE }));
  const { directory, restored } = await places(t);
  await backUp(directory, server.dataDir);
  writeFileSync(objectOf(directory, bytes), randomBytes(bytes.length));
  t.match(await backUp(directory, server.dataDir, '--reread'), { code: 0, report: { added: { files: Number } } });
  t.match(await restore(directory, restored), { code: 0, report: { missing: [] } });
});

test('a copy that was under way when it was backed up ends after the restore', async (t) => {
  const { east, west } = await startCloud(t);
  const { image } = await makeImage(east.alice, {}, { size: 12 * MiB });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
  await west.order(image.uuid, east.name);
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > 2 * MiB);
  const { directory } = await places(t);
  t.match(await backUp(directory, west.dataDir), { code: 0 });
  await west.kill();
  east.network.trouble = { kind: 'none' };
  await rm(west.dataDir, { recursive: true });
  t.match(await restore(directory, west.dataDir), { code: 0 });
  await west.start();
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  t.match(await verify(west.server), { code: 0 });
});

test('an image whose file is missing or wrong is named; the rest is backed up', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const sound = await makeImage(alice, { name: 'sound' });
  const gone = await makeImage(alice, { name: 'gone' });
  const wrong = await makeImage(alice, { name: 'wrong' });
  const file = ({ image: { uuid } }: { image: { uuid: string } }) =>
    join(server.dataDir, 'storage', imageObjectPath(uuid, 'file0'));
  await rm(file(gone));
  writeFileSync(file(wrong), randomBytes(wrong.bytes.length));
  const { directory, restored } = await places(t);
  const { code, stderr } = await runImgapiadm(['backup', directory, '--data-dir', server.dataDir]);
  t.equal(code, 1);
  t.match(stderr, `missing: file0 of image ${gone.image.uuid} (gone): `);
  t.match(stderr, `missing: file0 of image ${wrong.image.uuid} (wrong): `);
  const back = await restore(directory, restored);
  const missing = back.report.missing.map(({ name }: { name: string }) => name);
  t.match({ code: back.code, missing: missing.toSorted() }, { code: 1, missing: ['gone', 'wrong'] });
  t.ok(objectOf(directory, sound.bytes));
});

test('a backup that is broken off leaves the one before, and a restore that is broken off goes on', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  await makeImage(alice);
  const { directory, restored } = await places(t);
  await backUp(directory, server.dataDir);
  const later = await makeImage(alice);
  const broken = { signal: AbortSignal.abort() };
  t.match(await runImgapiadm(['backup', directory, '--data-dir', server.dataDir], broken), { code: 130 });
  t.match(await runImgapiadm(['restore', directory, '--data-dir', restored], broken), { code: 130 });
  const refused = spawnSync(process.execPath, ['src/main.ts', '-f', configOn(await temporaryFolder(t), restored)]);
  t.equal(refused.status, 1);
  t.match(
    String(refused.stderr),
    /^imgapi: dataDir: the restore into \S+ is unfinished: run imgapiadm restore again\n$/,
  );
  t.match(await backUp(`${directory}.2`, restored), { code: 1, stderr: /error \(NoDataFolder\): the restore into/ });
  t.match(await restore(directory, restored), { code: 0, report: { images: 1, missing: [] } });
  await server.kill();
  const again = await spawnImgapi(t, {}, { dataDir: restored });
  t.match(await verify(again), { code: 0, stdout: /^1 file, .*: 1 ok$/m });
  await backUp(directory, server.dataDir);
  t.ok(objectOf(directory, later.bytes));
});

test('what was written into a backup by somebody else leads nowhere beside the data folder', async (t) => {
  const server = await spawnImgapi(t);
  const { directory, restored } = await places(t);
  await backUp(directory, server.dataDir);
  const manifest = join(directory, 'manifest.jsonl');
  const lines = readFileSync(manifest, 'utf8').split('\n');
  for (const path of ['../beside', '/etc/beside', 'storage/../../beside', '..']) {
    const [head = '', first = '', ...rest] = lines;
    writeFileSync(manifest, [head, JSON.stringify({ ...JSON.parse(first), path }), ...rest].join('\n'));
    t.match(await restore(directory, restored), { code: 1, stderr: /NotABackup.*has an invalid line/ });
  }
  writeFileSync(manifest, lines.slice(0, -2).join('\n'));
  t.match(await restore(directory, restored), { code: 1, stderr: /NotABackup.*is cut short/ });
});

test('a disk that is full to the last byte is backed up, whether a server runs on it or not', async (t) => {
  const dataDir = smallDisk(t, 32);
  if (dataDir === undefined) return;
  const server = await spawnImgapi(t, { storage: { headroomBytes: MiB } }, { dataDir });
  const { bytes } = await makeImage(server.client({ account: ALICE }));
  const { directory, restored } = await places(t);
  const empty = fill(dataDir);
  t.match(await backUp(directory, dataDir), { code: 0, report: { images: 1, missing: [] } });
  empty();
  // What is closed in order has neither log nor index, and there is no room to make them.
  await server.stop();
  fill(dataDir);
  t.match(await backUp(directory, dataDir, '--reread'), { code: 0, report: { images: 1, missing: [] } });
  t.ok(objectOf(directory, bytes));
  t.match(await restore(directory, restored), { code: 0 });
});

test("two at once do not get into each other's way", async (t) => {
  const server = await spawnImgapi(t);
  const { directory, restored } = await places(t);
  const nested: unknown[] = [];
  await backUpTelling(directory, server.dataDir, async () => void nested.push(await backUp(directory, server.dataDir)));
  t.match(nested, [{ code: 1, stderr: /error \(Busy\): another process is using the backup/ }]);
  t.match(await restore(directory, restored), { code: 0 });
});
