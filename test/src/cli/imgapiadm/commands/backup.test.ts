/** Backups of real servers, made while these work, and servers that start on what was restored. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { s3For } from '../../../../engines/s3.ts';
import { ADMIN, ALICE, BOB } from '../../../../helpers/accounts.ts';
import { MiB } from '../../../../helpers/cloud.ts';
import { makeImage, sha1Of } from '../../../../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../../../../helpers/imgapi.ts';
import { sha1Served } from '../../../../helpers/invariants.ts';
import { runImgapiadm } from '../../capture.ts';
import { backUp, backUpTelling, objectOf, places, restore, verify } from './backup-fixture.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

test('what a running server had comes back to the byte, with its shares, its secret and its accounts', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const operator = server.client();
  const { image, bytes } = await makeImage(alice, { tags: { kept: 'yes' } });
  await alice.updateImage(image.uuid, { description: 'the last word' });
  await alice.addImageAcl(image.uuid, ['bob']);
  const withIcon = await makeImage(operator, { public: true }, { owner: ADMIN });
  await operator.addImageIcon(withIcon.image.uuid, PNG, 'image/png');
  const draft = await makeImage(alice, { name: 'a-draft' }, { activate: false });
  const { directory, restored } = await places(t);
  const { code, report } = await backUp(directory, server.dataDir);
  t.equal(code, 0);
  t.match(report, { images: 3, missing: [], left_out: [] });
  const own = ['keys/operator.token', 'accounts.json'];
  const kept = own.map((path) => readFileSync(join(server.dataDir, path), 'utf8'));
  // Nothing may lean on what is left behind.
  await server.kill();
  await rm(server.dataDir, { recursive: true });

  const back = await restore(directory, restored);
  t.equal(back.code, 0);
  t.match(back.report, { images: 3, missing: [], lost: [], extra: [], made_at: report.made_at });
  t.strictSame(
    own.map((path) => readFileSync(join(restored, path), 'utf8')),
    kept,
  );
  const again = await spawnImgapi(t, {}, { dataDir: restored });
  t.equal(await sha1Served(again.client({ account: BOB }), image.uuid), sha1Of(bytes), 'the share is there');
  const asAlice = again.client({ account: ALICE });
  t.match(await asAlice.getImage(image.uuid), { description: 'the last word', tags: { kept: 'yes' } });
  for (const made of [{ image, bytes }, withIcon, draft]) {
    t.equal(await sha1Served(again.client(), made.image.uuid), sha1Of(made.bytes));
  }
  const icon = await again.client().getImageIcon(withIcon.image.uuid);
  t.equal(icon.contentType, 'image/png');
  t.match(await verify(again), { code: 0, stdout: /^4 files, .*: 4 ok$/m });
});

test('what lies in a shared store is counted, and is there again after a restore', async (t) => {
  const { keys } = await s3For(t);
  const server = await spawnImgapi(t, keys);
  const { image, bytes } = await makeImage(server.client({ account: ALICE }), {}, { size: 1000 });
  const own = await makeImage(server.client(), {}, { owner: ADMIN });
  const { directory, restored } = await places(t);
  const { code, report } = await backUp(directory, server.dataDir);
  t.equal(code, 0);
  t.match(report, { images: 2, missing: [], shared: { s3: { files: 1, bytes: 1000 } } });
  const told = await runImgapiadm(['backup', directory, '--data-dir', server.dataDir]);
  t.match(told.stderr, /not in the backup, because they lie in s3: 1 file, 1000 B/);
  await server.kill();
  t.equal((await restore(directory, restored)).code, 0);
  const again = await spawnImgapi(t, keys, { dataDir: restored });
  t.equal(await sha1Served(again.client(), image.uuid), sha1Of(bytes));
  t.equal(await sha1Served(again.client(), own.image.uuid), sha1Of(own.bytes));
});

test('for people it says how much there is and how much is new, and what there already is stays untouched', async (t) => {
  const server = await spawnImgapi(t);
  // Larger than the database, which is copied each time.
  const { image, bytes } = await makeImage(server.client({ account: ALICE }), {}, { size: 4 * MiB });
  const { directory } = await places(t);
  const args = ['backup', directory, '--data-dir', server.dataDir];
  t.match(await runImgapiadm(args), {
    code: 0,
    stdout: /^1 image, \d+ files, [45]\.\d MiB; new: \d+ files, [45]\.\d MiB\n$/,
  });
  const object = objectOf(directory, bytes);
  const before = statSync(object);
  const second = await makeImage(server.client({ account: ALICE }), {}, { size: 2 * MiB });
  const { report } = await backUp(directory, server.dataDir);
  t.match(report, { images: 2, missing: [] });
  t.ok(report.added.bytes < 5.9 * MiB, 'the first image was not copied again');
  t.strictSame([statSync(object).ino, statSync(object).mtimeMs], [before.ino, before.mtimeMs]);
  await server.client().deleteImage(image.uuid);
  await backUp(directory, server.dataDir);
  t.notOk(existsSync(object), 'what no image needs any more goes');
  t.ok(objectOf(directory, second.bytes));
});

test('every record of a backup has its file, however fast images come and go', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const { directory, restored } = await places(t);
  let isDone = false;
  const churn = async () => {
    while (!isDone) {
      const { image } = await makeImage(alice, {}, { size: 30_000, activate: false });
      const bytes = randomBytes(30_000);
      await alice.addImageFile(image.uuid, Readable.from([bytes]), { compression: 'none', sha1: sha1Of(bytes) });
      await alice.deleteImage(image.uuid);
    }
  };
  const churning = [churn(), churn(), churn()];
  for (let turn = 0; turn < 5; turn++) {
    t.strictSame((await backUp(directory, server.dataDir)).report?.missing, [], `backup ${turn}`);
    const target = `${restored}.${turn}`;
    const { code, report } = await restore(directory, target);
    t.strictSame([code, report?.missing, report?.lost], [0, [], []], `restore ${turn}`);
  }
  isDone = true;
  await Promise.all(churning);
});

test('a manifest that is archived while a backup is made is in it, as its documents say', async (t) => {
  const server = await spawnImgapi(t);
  const archived = join(server.dataDir, 'storage/archive/aaa/late.json');
  const { directory, restored } = await places(t);
  await makeImage(server.client({ account: ALICE }), {}, { size: 1000 });
  await backUpTelling(directory, server.dataDir, async () => {
    mkdirSync(join(archived, '..'), { recursive: true });
    writeFileSync(archived, '{}');
  });
  await restore(directory, restored);
  t.ok(existsSync(join(restored, 'storage/archive/aaa/late.json')));
});

test('only the owner may read a backup and what is restored of it, whatever the umask says', async (t) => {
  const before = process.umask(0o022);
  t.teardown(() => process.umask(before));
  const server = await spawnImgapi(t);
  await makeImage(server.client({ account: ALICE }));
  const { directory, restored } = await places(t);
  await backUp(directory, server.dataDir);
  chmodSync(directory, 0o755);
  await backUp(directory, server.dataDir);
  await restore(directory, restored);
  for (const root of [directory, restored]) {
    const all = readdirSync(root, { recursive: true, withFileTypes: true });
    const open = [root, ...all.map((entry) => join(entry.parentPath, entry.name))].filter(
      (path) => (statSync(path).mode & 0o077) !== 0 && !path.endsWith('backup.lock'),
    );
    t.strictSame(open, []);
  }
});

test('what root restores belongs to the owner of the data directory', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const server = await spawnImgapi(t);
  await makeImage(server.client({ account: ALICE }));
  const { directory, restored } = await places(t);
  t.match(await backUp(directory, server.dataDir), { code: 0 });
  mkdirSync(restored, { mode: 0o700 });
  chownSync(restored, 12345, 12346);
  t.match(await restore(directory, restored), { code: 0 });
  const all = readdirSync(restored, { recursive: true, encoding: 'utf8' });
  t.ok(all.length > 5);
  for (const name of all) t.match(statSync(join(restored, name)), { uid: 12345, gid: 12346 }, name);
});

test('a file whose folder cannot be read is a finding of verify, which goes on with the next', async (t) => {
  const server = await spawnImgapi(t);
  const [bad, good] = [
    await makeImage(server.client({ account: ALICE })),
    await makeImage(server.client({ account: ALICE })),
  ];
  const folder = join(server.dataDir, 'storage', 'images', bad.image.uuid.slice(0, 3), bad.image.uuid);
  await rm(folder, { recursive: true });
  symlinkSync(folder, folder);
  const { code, stdout } = await verify(server);
  t.equal(code, 1);
  t.match(stdout, new RegExp(`^${bad.image.uuid} file0 .*: missing: .* cannot be read: .*ELOOP`, 'm'));
  t.match(stdout, new RegExp(`^${good.image.uuid} file0 .*: ok$`, 'm'));
});

test('a restore goes only into an empty folder, of a server that does not run', async (t) => {
  const server = await spawnImgapi(t);
  const { directory, restored } = await places(t);
  const empty = await restore(directory, restored);
  t.match(empty, { code: 1, stderr: /error \(NotABackup\): .*holds no finished backup/ });
  await backUp(directory, server.dataDir);
  t.match(await restore(directory, server.dataDir), {
    code: 1,
    stderr: /error \(ServerRuns\): the server of .* stop it/,
  });
  await server.stop();
  const filled = await restore(directory, server.dataDir);
  t.match(filled, { code: 1, stderr: /error \(NotEmpty\): .* has the data of a server: stop .* move the folder away/ });
  const other = await temporaryFolder(t);
  writeFileSync(join(other, 'letter.txt'), 'mine');
  t.match(await restore(directory, other), { code: 1, stderr: /is not empty \(it has letter\.txt\)/ });
  t.match(await backUp(other, server.dataDir), { code: 1, stderr: /holds something else/ });
  t.equal(readFileSync(join(other, 'letter.txt'), 'utf8'), 'mine');
  const within = await backUp(join(server.dataDir, 'backup'), server.dataDir);
  t.match(within, { code: 1, stderr: /error \(Overlap\)/ });
  t.match(await backUp(directory, other), { code: 1, stderr: /error \(NoDataFolder\): .* has no imgapi\.db/ });
});

test('with its configuration a server that listens is noticed, and what lies elsewhere comes along', async (t) => {
  const accountsFolder = await temporaryFolder(t);
  const server = await spawnImgapi(t);
  const port = Number(new URL(server.url).port);
  const { directory, restored } = await places(t);
  const config = join(accountsFolder, 'imgapi.config.json');
  const accounts = join(accountsFolder, 'people.json');
  const keys = { mode: 'dc', datacenterName: 'test-1', adminUuid: ADMIN, address: '127.0.0.1', port };
  const write = (dataDir: string) =>
    writeFileSync(config, JSON.stringify({ ...keys, dataDir, accounts: { file: accounts } }));
  write(server.dataDir);
  writeFileSync(accounts, '[]');
  t.match(await runImgapiadm(['backup', directory, '-f', config]), { code: 0 });
  write(restored);
  const refused = await runImgapiadm(['restore', directory, '-f', config]);
  t.match(refused, {
    code: 1,
    stderr: new RegExp(`the server of \\S+ is running, at http://127\\.0\\.0\\.1:${port}: stop it`),
  });
  t.notOk(existsSync(restored));
  await server.stop();
  const { code, stdout } = await runImgapiadm(['restore', directory, '-f', config]);
  t.equal(code, 0);
  t.match(stdout, `${accounts} is in ${restored}/elsewhere/accounts.json\n`);
  t.match(stdout, `${config} is in ${restored}/elsewhere/config.json\n`);
  t.equal(readFileSync(join(restored, 'elsewhere/accounts.json'), 'utf8'), '[]');
});

test('an image that goes after the documents were read is not in the backup, and none is missing', async (t) => {
  const server = await spawnImgapi(t);
  const alice = server.client({ account: ALICE });
  const kept = await makeImage(alice);
  const going = await makeImage(alice);
  const { directory, restored } = await places(t);
  let readings = 0;
  const report = await backUpTelling(directory, server.dataDir, async () => {
    if (++readings === 1) await alice.deleteImage(going.image.uuid);
  });
  t.equal(readings, 2);
  t.match(report, { images: 1, missing: [] });
  t.match(await restore(directory, restored), { code: 0, report: { images: 1, missing: [], extra: [] } });
  t.ok(objectOf(directory, kept.bytes));
  t.throws(() => objectOf(directory, going.bytes));
});

test('a server with its documents elsewhere is not backed up by halves', async (t) => {
  const { directory } = await places(t);
  const config = join(await temporaryFolder(t), 'imgapi.config.json');
  const keys = {
    mode: 'private',
    dataDir: await temporaryFolder(t),
    databaseType: 'moray',
    moray: { host: '10.0.0.1' },
  };
  writeFileSync(config, JSON.stringify(keys));
  const { code, stderr } = await runImgapiadm(['backup', directory, '--config', config]);
  t.equal(code, 1);
  t.match(stderr, /the documents of this server are not in its data directory: databaseType is "moray"/);
});
