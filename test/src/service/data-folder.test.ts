/** What the process finds when it starts, and what it refuses in one sentence; what it creates is for its user alone. */
import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import bunyan from 'bunyan';
import t, { type Test } from 'tap';
import { prepareDataFolder } from '#src/service/data-folder.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { configKeys, spawnImgapi, temporaryFolder } from '../../helpers/imgapi.ts';
import { fill, smallDisk } from '../../helpers/small-disk.ts';

const ROOT = join(import.meta.dirname, '../../..');
process.umask(0o022);

/** Paths below a folder, itself included, with what others may do there. */
async function openPaths(path: string): Promise<string[]> {
  const found = await stat(path);
  const own = (found.mode & 0o077) === 0 ? [] : [`${path} ${(found.mode & 0o777).toString(8)}`];
  if (!found.isDirectory()) return own;
  const below = await Promise.all((await readdir(path)).map((name) => openPaths(join(path, name))));
  return [...own, ...below.flat()];
}

/** Starts the server on these keys; answers how it ended. */
async function attempt(t: Test, dataDir: string, keys: object = {}): Promise<{ status: unknown; stderr: string }> {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ ...(await configKeys(folder)), dataDir, ...keys }));
  return new Promise((resolve) => {
    execFile(process.execPath, ['src/main.ts', '-f', file], { cwd: ROOT, timeout: 60_000 }, (error, _, stderr) =>
      resolve({ status: error ? error.code : 0, stderr }),
    );
  });
}

t.test('nothing that the service creates is for others', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const server = await spawnImgapi(t, {}, { dataDir });
  const { image } = await makeImage(server.client({ account: ALICE }));
  await server.client().createImageFilePullUrl(image.uuid, {});
  // The helper writes these two itself.
  const found = (await openPaths(dataDir)).filter((path) => !/accounts\.json|config\.[\d.]+\w*\.json/.test(path));
  t.strictSame(found, []);
  const names = await readdir(dataDir);
  for (const name of ['imgapi.db', 'imgapi.db-shm', 'imgapi.db-wal', 'keys', 'storage']) {
    t.ok(names.includes(name), name);
  }
});

t.test('a secret of the operator that a crash has emptied is made anew', async (t) => {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, 'keys'));
  await writeFile(join(dataDir, 'keys', 'operator.token'), '');
  await spawnImgapi(t, {}, { dataDir });
  t.ok((await stat(join(dataDir, 'keys', 'operator.token'))).size > 20);
});

t.test('what is more open is closed at the start', async (t) => {
  const dataDir = await temporaryFolder(t);
  const first = await spawnImgapi(t, {}, { dataDir });
  await makeImage(first.client({ account: ALICE }));
  await first.stop();
  const paths = ['', 'imgapi.db', 'keys', 'keys/operator.token', 'storage'].map((name) => join(dataDir, name));
  for (const path of paths) await chmod(path, (await stat(path)).isDirectory() ? 0o755 : 0o644);
  await spawnImgapi(t, {}, { dataDir });
  for (const path of paths) t.equal((await stat(path)).mode & 0o077, 0, path);
});

t.test(
  'a folder in which somebody has put the configuration and begun a log is taken, and closed to others',
  async (t) => {
    const dataDir = await temporaryFolder(t);
    await chmod(dataDir, 0o755);
    await writeFile(join(dataDir, 'imgapi.log'), '');
    await spawnImgapi(t, {}, { dataDir });
    t.equal((await stat(dataDir)).mode & 0o077, 0);
  },
);

t.test('a folder with things of others is not closed to them, but refused', async (t) => {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  await mkdir(join(dataDir, 'lib'));
  const { status, stderr } = await attempt(t, dataDir);
  t.equal(status, 1);
  t.match(
    stderr,
    new RegExp(`^imgapi: dataDir: ${dataDir} has other things in it, such as lib, .* for this service alone\n$`),
  );
  t.equal((await stat(dataDir)).mode & 0o777, 0o755);
  t.strictSame(await readdir(dataDir), ['lib']);
});

t.test('configuration may lie in the folder before the first start', async (t) => {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  for (const name of ['etc', 'lost+found', 'authkeys']) await mkdir(join(dataDir, name));
  for (const name of ['accounts.json', '.profile']) await writeFile(join(dataDir, name), '[]');
  await prepareDataFolder(
    { dataDir, databaseType: 'local', storageTypes: ['local'] },
    bunyan.createLogger({ name: 'test', level: 'fatal' }),
  );
  t.equal((await stat(dataDir)).mode & 0o777, 0o700);
});

t.test('a standalone IMGAPI that has no image, not yet or not any more, is taken for one', async (t) => {
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  for (const archived of ['archive', 'archive/abc']) {
    const dataDir = await temporaryFolder(t);
    await chmod(dataDir, 0o755);
    for (const name of ['etc', 'manifests', 'images', archived]) await mkdir(join(dataDir, name), { recursive: true });
    await prepareDataFolder({ dataDir, databaseType: 'local', storageTypes: ['local'] }, log);
    t.equal((await stat(dataDir)).mode & 0o777, 0o700);
    await chmod(dataDir, 0o755);
    await mkdir(join(dataDir, 'lib'));
    await t.rejects(prepareDataFolder({ dataDir, databaseType: 'local', storageTypes: ['local'] }, log), /such as lib/);
  }
});

t.test('a server of another user than the folder is told what that leads to', async (t) => {
  if (process.geteuid?.() !== 0) return t.pass('needs the right to give files away');
  const dataDir = await temporaryFolder(t);
  const lines: string[] = [];
  const stream = new Writable({
    write(line, _, done) {
      lines.push(String(line));
      done();
    },
  });
  const log = bunyan.createLogger({ name: 'test', stream });
  await prepareDataFolder({ dataDir, databaseType: 'local', storageTypes: ['local'] }, log);
  t.same(lines, []);
  await chown(dataDir, 65_534, 65_534);
  await prepareDataFolder({ dataDir, databaseType: 'local', storageTypes: ['local'] }, log);
  t.match(lines, [/belongs to user 65534, who cannot use what this server writes as user 0: run it as user 65534/]);
});

t.test('so may the scripts of the IMGAPI that was replaced', async (t) => {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  for (const name of ['etc', 'prepare-image']) await mkdir(join(dataDir, name));
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  await prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['local'] }, log);
  t.equal((await stat(dataDir)).mode & 0o777, 0o700);
});

/** As the IMGAPI that ran there before leaves it. */
async function usedBefore(t: Test): Promise<string> {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  for (const name of ['etc', 'images/abc/uuid', 'archive']) await mkdir(join(dataDir, name), { recursive: true });
  await writeFile(join(dataDir, 'images/abc/uuid/file0'), 'bytes');
  return dataDir;
}

t.test('local files of the IMGAPI that was there before are taken over, by one of several processes', async (t) => {
  const dataDir = await usedBefore(t);
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  await Promise.all(
    [1, 2, 3].map(() => prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['manta', 'local'] }, log)),
  );
  for (const path of ['images', 'storage/images']) {
    t.equal(await readFile(join(dataDir, path, 'abc/uuid/file0'), 'utf8'), 'bytes', path);
  }
  t.equal((await stat(dataDir)).mode & 0o777, 0o700);
  await prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['manta', 'local'] }, log);
  t.ok((await lstat(join(dataDir, 'images'))).isSymbolicLink(), 'once');
});

t.test('where nothing is local any more, local files are left alone', async (t) => {
  const dataDir = await usedBefore(t);
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  await prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['manta'] }, log);
  t.ok((await lstat(join(dataDir, 'images'))).isDirectory());
});

t.test('local files that cannot be taken over are told of', async (t) => {
  const dataDir = await usedBefore(t);
  await mkdir(join(dataDir, 'storage/images/abd'), { recursive: true });
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  await t.rejects(prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['manta', 'local'] }, log), {
    message: `dataDir: the files in ${dataDir}/images, of the IMGAPI that was here before, cannot be moved to ${dataDir}/storage/images: that holds others already; move them there`,
  });
});

t.test('a folder with images of somebody else is refused', async (t) => {
  const dataDir = await usedBefore(t);
  await writeFile(join(dataDir, 'images/cat.jpg'), '');
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  await t.rejects(prepareDataFolder({ dataDir, databaseType: 'moray', storageTypes: ['manta', 'local'] }, log), {
    message: /other things in it, such as/,
  });
  t.ok((await lstat(join(dataDir, 'images'))).isDirectory());
});

for (const how of ['empty', 'missing'] as const) {
  t.test(`a database that is ${how} beside files is refused`, async (t) => {
    const dataDir = await temporaryFolder(t);
    const first = await spawnImgapi(t, {}, { dataDir });
    const { image } = await makeImage(first.client({ account: ALICE }));
    await first.stop();
    const path = join(dataDir, 'imgapi.db');
    for (const suffix of ['-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
    if (how === 'empty') await truncate(path);
    else await rm(path);
    const { status, stderr } = await attempt(t, dataDir);
    t.equal(status, 1);
    t.match(stderr, new RegExp(`^imgapi: dataDir: ${path} is empty or missing, .*imgapiadm restore.*\n$`));
    t.ok(
      (await readdir(join(dataDir, 'storage/images'))).includes(image.uuid.slice(0, 3)),
      'the files are still there',
    );
  });
}

t.test('a database without files is one of a new server', async (t) => {
  const dataDir = await temporaryFolder(t);
  await writeFile(join(dataDir, 'imgapi.db'), '');
  const server = await spawnImgapi(t, {}, { dataDir });
  t.same(await server.client().listImages(), []);
});

t.test('a database that is none is told by path', async (t) => {
  const dataDir = await temporaryFolder(t);
  await writeFile(join(dataDir, 'imgapi.db'), 'this is no database '.repeat(1000));
  const { status, stderr } = await attempt(t, dataDir);
  t.equal(status, 1);
  t.match(
    stderr,
    new RegExp(`^imgapi: dataDir: the database ${dataDir}/imgapi.db cannot be used: file is not a database\n$`),
  );
});

t.test('a folder that cannot be made or written is told in one sentence', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const dataDir of ['/sys/imgapi', '/proc/imgapi/data', file, join(file, 'below')]) {
    const { status, stderr } = await attempt(t, dataDir);
    t.equal(status, 1, dataDir);
    t.match(stderr, new RegExp(`^imgapi: dataDir: ${dataDir} cannot be (made|written): [^\n]+\n$`));
  }
});

t.test('a folder of somebody else is refused, a read-only one too', { skip: process.getuid?.() !== 0 }, async (t) => {
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  // Others must be able to come as far as there.
  const parent = await mkdtemp('/tmp/imgapi-test-');
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  await chmod(parent, 0o755);
  const [theirs, readOnly] = [join(parent, 'theirs'), join(parent, 'read-only')];
  await mkdir(theirs, { mode: 0o777 });
  await chmod(theirs, 0o777);
  await mkdir(readOnly, { mode: 0o700 });
  const nobody = 65_534;
  await chown(readOnly, nobody, nobody);
  await chmod(readOnly, 0o500);
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    const local = { databaseType: 'local', storageTypes: ['local'] } as const;
    await t.rejects(prepareDataFolder({ ...local, dataDir: theirs }, log), {
      name: 'ConfigError',
      message: /theirs is open to others/,
    });
    await t.rejects(prepareDataFolder({ ...local, dataDir: readOnly }, log), {
      name: 'ConfigError',
      message: /read-only cannot be written/,
    });
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
});

t.test('a port that is in use is told by its key', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  t.teardown(() => holder.close());
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as AddressInfo;
  const there = { address: '127.0.0.1', port };
  for (const [key, keys] of [
    ['port', there],
    ['links.port', { links: there }],
    ['metrics.port', { metrics: there }],
  ] as const) {
    const { status, stderr } = await attempt(t, await temporaryFolder(t), keys);
    t.equal(status, 1);
    t.match(
      stderr,
      new RegExp(`^imgapi: ${key}: ${port} is in use at 127.0.0.1 by another process \\(EADDRINUSE\\)\n$`),
    );
  }
  const { stderr } = await attempt(t, await temporaryFolder(t), { address: '192.0.2.1', port: 1 });
  t.match(
    stderr,
    /^imgapi: address: cannot open port 1: this machine does not have the address 192\.0\.2\.1 \(EADDRNOTAVAIL\)\n$/,
  );
});

t.test('a secret or keys that cannot be read, and a full disk, are named by their path with the way out', async (t) => {
  const dataDir = await temporaryFolder(t);
  const token = join(dataDir, 'keys', 'operator.token');
  await mkdir(token, { recursive: true });
  t.match(await attempt(t, dataDir), { status: 1, stderr: `dataDir: ${token} cannot be used: ` });
  await rm(token, { recursive: true });
  const keys = join(dataDir, 'authkeys', 'alice.keys');
  await mkdir(keys, { recursive: true });
  t.match(await attempt(t, dataDir), { status: 1, stderr: `dataDir: ${keys} cannot be read: ` });
  const disk = smallDisk(t, 1);
  if (disk === undefined) return;
  const small = await attempt(t, join(disk, 'small'));
  t.match(small, { status: 1, stderr: /^imgapi: dataDir: .*full.*: free .*\n$/ }, 'filled by the start itself');
  const empty = fill(disk);
  const full = await attempt(t, join(disk, 'data'));
  empty();
  t.match(full, {
    status: 1,
    stderr: `${join(disk, 'data', 'keys', 'operator.token')} cannot be used: the disk is full: free`,
  });
});
