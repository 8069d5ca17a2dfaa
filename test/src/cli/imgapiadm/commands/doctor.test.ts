/** `imgapiadm doctor` on installations that are really broken, and on one that is not. */
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Test, test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { lookAtServer } from '#src/cli/imgapiadm/doctor/look-at-server.ts';
import { DATACENTERS, type LinkRecord } from '#src/datacenters/links/documents.ts';
import { ALICE } from '../../../../helpers/accounts.ts';
import { breakableDisk } from '../../../../helpers/broken-disk.ts';
import { freePort } from '../../../../helpers/free-port.ts';
import { makeImage } from '../../../../helpers/images.ts';
import { type ConfigKeys, configKeys, startInProcess, temporaryFolder } from '../../../../helpers/imgapi.ts';
import { issuerKey } from '../../../../helpers/token-issuer.ts';
import { runImgapiadm } from '../../capture.ts';
import { json, playBack } from '../../playback.ts';

interface Found {
  readonly ok: boolean;
  readonly findings: readonly { readonly part: string; readonly problem: string; readonly mend: string }[];
}

/** A server that runs, with its configuration in a file. */
async function installed(t: Test, keys: ConfigKeys = {}) {
  // tap's own folder goes while the server still writes into it, now and then.
  const dataDir = await temporaryFolder(t);
  const port = await freePort();
  const given = await configKeys(dataDir, { ...keys, port });
  const file = join(await temporaryFolder(t), 'imgapi.json');
  await writeFile(file, JSON.stringify(given));
  const server = await startInProcess(t, { ...keys, port }, { dataDir });
  const examine = async () => {
    const { code, stdout } = await runImgapiadm(['-f', file, 'doctor', '--json']);
    return { code, ...(JSON.parse(stdout) as Found) };
  };
  return { ...server, file, examine };
}

test('of an installation in which nothing is wrong it says so', async (t) => {
  const { file, examine } = await installed(t);
  t.match(await examine(), { code: 0, ok: true, findings: [] });
  const { code, stdout } = await runImgapiadm(['-f', file, 'doctor']);
  t.equal(code, 0);
  t.equal(stdout, 'nothing is wrong\n');
});

test('a disk that has become read-only is named, by the server and by doctor, and images are still read', async (t) => {
  const disk = breakableDisk(t);
  if (!disk) return;
  const dataDir = join(disk.folder, 'data');
  const keys = { storage: { headroomBytes: 0 }, port: await freePort() };
  const file = join(await temporaryFolder(t), 'imgapi.json');
  await writeFile(file, JSON.stringify(await configKeys(dataDir, keys)));
  const server = await startInProcess(t, keys, { dataDir });
  const client = server.client({ account: ALICE });
  const { image } = await makeImage(client);
  disk.break();
  await t.rejects(makeImage(client), { message: 'the document store cannot be reached' });
  t.equal((await client.getImage(image.uuid)).uuid, image.uuid);
  const { stdout } = await runImgapiadm(['-f', file, 'doctor', '--json']);
  const { findings } = JSON.parse(stdout) as Found;
  const takesNone = (what: string) => new RegExp(`the disk of ${what} takes no writes \\(EROFS\\)`);
  const mend = /mount the file system for writing again/;
  t.match(findings, [
    { part: 'files', problem: takesNone(dataDir), mend },
    { part: 'stores', problem: takesNone('the documents') },
  ]);
});

test('files that others may read, keys that cannot be used and keys that do not belong there are named', async (t) => {
  const { dataDir, examine } = await installed(t);
  await chmod(join(dataDir, 'keys', 'operator.token'), 0o644);
  await mkdir(join(dataDir, 'authkeys'), { recursive: true, mode: 0o700 });
  await writeFile(join(dataDir, 'authkeys', 'alice.keys'), '# of alice\nssh-ed25519 AAAAnonsense alice\n', {
    mode: 0o600,
  });
  await writeFile(join(dataDir, 'authkeys', 'bob.keys'), '-----BEGIN OPENSSH PRIVATE KEY-----\n', { mode: 0o600 });
  const { code, findings } = await examine();
  t.equal(code, 1);
  const file = join(dataDir, 'keys', 'operator.token');
  const modes = findings.find(({ part }) => part === 'files');
  t.match(modes, {
    problem: `${file} has mode 0644: other users of this machine may use it`,
    mend: `chmod go= ${file}`,
  });
  const keys = findings.filter(({ part }) => part === 'keys').map(({ problem }) => problem);
  t.equal(keys.length, 2);
  t.match(keys[0], /alice\.keys, line 2: .*not a usable public key/);
  t.match(keys[1], /bob\.keys, line 1: this is a private key/);
});

test('a file far down that belongs to another user is named, with the line that mends it', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const { dataDir, examine } = await installed(t);
  const folder = join(dataDir, 'storage', 'images', 'abc');
  await mkdir(folder, { recursive: true });
  await chown(folder, 12345, 12345);
  t.match(await examine(), {
    code: 1,
    findings: [
      { part: 'files', problem: `${folder} belongs to user 12345`, mend: new RegExp(`chown -R 0 ${dataDir}$`) },
    ],
  });
});

test('a file of accounts that is broken or cannot be read is named', async (t) => {
  const { dataDir, examine } = await installed(t, { mode: 'dc' });
  const file = join(dataDir, 'accounts.json');
  await writeFile(file, '[{"uuid": "x", "login": "bob"}]', { mode: 0o600 });
  const accounts = async () => (await examine()).findings.filter(({ part }) => part === 'accounts');
  t.match(await accounts(), [{ problem: `${file}: entry 0 ("bob"): uuid must be`, mend: 'correct the file' }]);
  await rm(file);
  t.match(await accounts(), [{ problem: /accounts\.json cannot be read: ENOENT/, mend: /^write it/ }]);
});

test('a disk with less room than is kept free is named', async (t) => {
  const { examine } = await installed(t, { storage: { headroomBytes: 2 ** 50 } });
  const { code, findings } = await examine();
  t.equal(code, 1);
  t.match(findings.find(({ part }) => part === 'room')?.mend, /delete images/);
});

test('a link whose other side does not answer is named, with what to do', async (t) => {
  const { imgapi, examine } = await installed(t, { links: { port: 0, publicUrl: 'http://127.0.0.1:1' } });
  const url = `http://127.0.0.1:${await freePort()}`;
  const link: Partial<LinkRecord> = {
    ...{ name: 'us-east-1', url, our_url: url, keys: [], our_key: 'SHA256:x', pull_origins: [], rev: 1 },
    created_at: new Date().toISOString(),
  };
  await imgapi.service.store.batch([{ op: 'put', bucket: DATACENTERS, key: 'us-east-1', value: link }]);
  const { code, findings } = await examine();
  t.equal(code, 1);
  const found = findings.filter(({ part }) => part === 'links');
  t.match(found, [{ problem: /^us-east-1: reach: / }]);
  t.ok((found[0]?.mend.length ?? 0) > 10);
});

test('a server whose database is down says which part, and what it cannot say keeps nothing else from being told', async (t) => {
  const down = { ok: false, ms: 3, error: 'connect ECONNREFUSED 10.0.0.5:5432' };
  const away = { code: 'ServiceUnavailable', message: 'the documents cannot be read now; try again' };
  const server = await playBack(t, {
    'GET /healthz': json({ ok: false, checks: { store: down, objects: { ok: true, ms: 1 } } }, 503),
    'GET /tasks': json(away, 503),
    'GET /datacenters': json(away, 503),
    'GET /admin/findings': json(away, 503),
  });
  const folder = join(t.testdir(), 'data');
  await mkdir(folder, { mode: 0o700 });
  const token = join(t.testdirName, 'token');
  await writeFile(token, 'a-token', { mode: 0o600 });
  const args = ['-u', server.url, '--data-dir', folder, '--token-file', token];
  const { code, stdout } = await runImgapiadm([...args, 'doctor', '--json']);
  t.equal(code, 1);
  t.match((JSON.parse(stdout) as Found).findings, [
    { part: 'stores', problem: 'store: connect ECONNREFUSED 10.0.0.5:5432', mend: /^look at the database/ },
    { part: 'server', problem: /^it cannot say how its tasks, files and links are: the documents cannot be read now/ },
  ]);
});

test('a server that does not run is named, and so is a configuration that is wrong', async (t) => {
  const dataDir = t.testdir();
  const folder = join(dataDir, 'data');
  await mkdir(folder, { mode: 0o700 });
  const file = join(dataDir, 'config.json');
  const keys = { mode: 'private', authType: 'none', dataDir: folder, port: await freePort() };
  const examine = async (given: object) => {
    await writeFile(file, JSON.stringify(given));
    const { code, stdout } = await runImgapiadm(['-f', file, 'doctor', '--json']);
    return { code, ...(JSON.parse(stdout) as Found) };
  };
  t.match(await examine({ ...keys, loglevel: 'info' }), {
    code: 1,
    findings: [
      { part: 'configuration', problem: `${file}: loglevel: there is no such key; did you mean "logLevel"?` },
      { part: 'server', mend: /^start it/ },
    ],
  });
  t.match(await examine({ ...keys, port: 'x', mode: 'none' }), {
    code: 1,
    findings: [
      { part: 'configuration', problem: new RegExp(`^${file}: port: `) },
      { part: 'configuration', problem: new RegExp(`^${file}: mode: `) },
    ],
  });
  t.match(await examine({ ...keys, dataDir: join(dataDir, 'nowhere') }), {
    code: 1,
    findings: [{ part: 'files', problem: /nowhere is not there/ }, { part: 'server' }],
  });
});

test('secrets that others may read, a relative folder and keys of tokens that cannot be had are named', async (t) => {
  const { dataDir, file } = await installed(t);
  const given = JSON.parse(await readFile(file, 'utf8'));
  const jwksFile = join(dataDir, 'jwks.json');
  const s3 = { region: 'us-east-1', bucket: 'images', accessKeyId: 'AKIA', secretAccessKey: 'secret' };
  const tokens = { issuer: 'https://login.example.com', audience: 'imgapi', jwksFile };
  const write = (more: object) =>
    writeFile(file, JSON.stringify({ ...given, authType: 'signature', s3, tokens, ...more }));
  const told = async (part: string) => {
    const { stdout } = await runImgapiadm(['-f', file, 'doctor', '--json']);
    const { findings, notes } = JSON.parse(stdout) as Found & { notes: string[] };
    return { found: findings.filter((finding) => finding.part === part), notes };
  };
  await write({});
  await chmod(file, 0o644);
  t.match((await told('configuration')).found, [
    { problem: `${file} may be read by all users of this machine, and has secrets in it: s3.secretAccessKey` },
  ]);
  t.match((await told('tokens')).found, [{ problem: /^tokens\.jwksFile: .*jwks\.json cannot be had.*ENOENT/ }]);
  await chmod(file, 0o600);
  await writeFile(jwksFile, JSON.stringify({ keys: [{ kty: 'EC', kid: 'a', crv: 'P-384' }] }));
  t.match((await told('tokens')).found, [{ problem: /has no key that can be used/ }]);
  await writeFile(jwksFile, JSON.stringify({ keys: [issuerKey('a').jwk] }));
  t.same((await told('tokens')).found, []);
  t.same((await told('configuration')).found, []);
  await write({ dataDir: relative(process.cwd(), dataDir) });
  t.match((await told('tokens')).notes, [new RegExp(`is relative, .* ${dataDir} was looked at`)]);
});

test('files that are known to be damaged are named, with what mends them', async (t) => {
  const uuid = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';
  const damaged = { uuid, name: 'base', file: 'file0', message: 'it has another sha1' };
  const server = await playBack(t, {
    'GET /healthz': json({ ok: true, checks: {} }),
    'GET /tasks': json([]),
    'GET /datacenters': json([]),
    'GET /admin/findings': json(Array(12).fill(damaged)),
  });
  const client = new ImgapiClient({ url: server.url });
  t.teardown(() => client.destroy());
  const asked = { url: server.url, operator: async () => client, mostSkew: 300 };
  const findings = await lookAtServer(asked, AbortSignal.timeout(10_000)).catch((error: Error) => error);
  t.match(findings, [
    {
      part: 'files',
      problem: `file0 of image ${uuid} (base) is damaged: it has another sha1`,
      mend: /verify .* --repair/,
    },
  ]);
  t.match((findings as { problem: string }[]).at(-1)?.problem, '2 more files are damaged');
});
