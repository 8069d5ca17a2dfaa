/** Files that are not what their records say: gone, cut short, longer, or on a disk that fails. */
import { once } from 'node:events';
import { appendFile, open, rm, truncate, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { createPullUrl } from '#src/pulls/create-pull-url.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { bytesOf, clientOf, linkedPair, putImage, putObject as putInto } from '../../helpers/datacenter.ts';
import { type InProcess, startInProcess } from '../../helpers/imgapi.ts';
import { overSocket } from '../images/fixture.ts';
import { type Asker, asker } from './fixtures/ask.ts';
import { BYTES, FILE, ICON, ICON_RECORD, imageRecord, MTIME, putObject, putRecords } from './fixtures/records.ts';

interface Served {
  /** With its query. */
  readonly path: string;
  /** On the disk. */
  readonly file: string;
  readonly whole: Buffer;
}

/** An image whose file, icon and pull link are served. */
async function servedBy({ imgapi, dataDir }: InProcess): Promise<Served[]> {
  const { service } = imgapi;
  const record = imageRecord('active', { icon: ICON_RECORD, acl: [BOB] });
  await putRecords(service, [record]);
  await putObject(service, record.uuid, 'file0', BYTES);
  await putObject(service, record.uuid, 'icon', ICON);
  const request = { uuid: record.uuid, index: 0, account: undefined, requestId: '', baseUrl: 'http://x' };
  const { pathname, search } = new URL((await createPullUrl(service, request)).url);
  const storage = join(dataDir, 'storage');
  const file = join(storage, imageObjectPath(record.uuid, 'file0'));
  const icon = join(storage, imageObjectPath(record.uuid, 'icon'));
  return [
    { path: `/images/${record.uuid}/file`, file, whole: BYTES },
    { path: `/images/${record.uuid}/icon`, file: icon, whole: ICON },
    { path: pathname + search, file: join(storage, pathname), whole: BYTES },
  ];
}

async function startServed(t: Test): Promise<{ ask: Asker; server: InProcess; served: Served[] }> {
  const server = await startInProcess(t);
  return { ask: asker(t, server.url), server, served: await servedBy(server) };
}

const CONDITIONS: readonly Readonly<Record<string, string>>[] = [
  {},
  { range: 'bytes=0-3' },
  { 'if-none-match': FILE.sha1 },
  { 'if-none-match': '*' },
  { 'if-modified-since': new Date(Date.now() + 60_000).toUTCString() },
  { 'if-match': FILE.sha1 },
];

/** That every way of asking is refused so. */
async function refused(t: Test, ask: Asker, path: string, status: number, code: string): Promise<void> {
  for (const headers of CONDITIONS) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(path, { method, headers });
      t.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`);
      if (method === 'GET') t.equal(answer.json.code, code);
    }
  }
}

test('bytes that are missing are missing however they are asked for', async (t) => {
  const { ask, served } = await startServed(t);
  for (const { path, file } of served) {
    await rm(file);
    await refused(t, ask, path, 404, 'ResourceNotFound');
  }
});

test('a file that is shorter than its record is refused at once, by name', async (t) => {
  const { ask, served } = await startServed(t);
  for (const { path, file, whole } of served) {
    // The pull link is a second name of the file.
    await writeFile(file, whole);
    await truncate(file, whole.length - 5);
    await refused(t, ask, path, 503, 'FileDamaged');
    t.match((await ask(path)).json.message, `${whole.length - 5} of ${whole.length} bytes`);
    t.equal((await ask(path, { headers: { range: `bytes=${whole.length - 2}-` } })).json.code, 'FileDamaged');
  }
});

test('a file that is longer than its record is served as far as the record says, and no answer spills into the next', async (t) => {
  const { ask, server, served } = await startServed(t);
  for (const { path, file, whole } of served) {
    await writeFile(file, whole);
    await appendFile(file, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    const got = await ask(path);
    t.ok(got.bytes.equals(whole), path);
    t.equal(got.headers['content-length'], String(whole.length));
    const tail = await ask(path, { headers: { range: 'bytes=-3' } });
    t.equal(tail.text, whole.toString().slice(-3));
    t.equal(tail.headers['content-range'], `bytes ${whole.length - 3}-${whole.length - 1}/${whole.length}`);
    const twice = await overSocket(
      server.url,
      `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    t.equal(twice.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    t.notMatch(twice, 'evil');
    t.match(twice, '"ping": "pong"');
  }
});

test('an empty file that has bytes on the disk is served empty', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const record = imageRecord('active', { files: [{ ...FILE, size: 0 }] });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', BYTES);
  for (const method of ['GET', 'HEAD']) {
    const answer = await asker(t, url)(`/images/${record.uuid}/file`, { method });
    t.match(answer, { status: 200, text: '', headers: { 'content-length': '0' } });
  }
});

test('what a file lost after the answer began cuts the connection', async (t) => {
  const { imgapi, url, dataDir } = await startInProcess(t);
  const bytes = Buffer.alloc(32 * 2 ** 20, 'x');
  const record = imageRecord('active', { files: [{ ...FILE, size: bytes.length }] });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', bytes);
  const file = join(dataDir, 'storage', imageObjectPath(record.uuid, 'file0'));
  const [answer] = (await once(get(`${url}/images/${record.uuid}/file`), 'response')) as [IncomingMessage];
  t.equal(answer.statusCode, 200);
  await truncate(file, 1000);
  await t.rejects(answer.toArray(), { code: 'ECONNRESET' });
});

test('a clone of a damaged file is refused and leaves nothing', async (t) => {
  const { server, served } = await startServed(t);
  const [{ file, path } = { file: '', path: '' }] = served;
  const uuid = path.split('/')[2] ?? '';
  const bob = server.client({ account: BOB });
  await truncate(file, 3);
  await t.rejects(bob.cloneImage(uuid), { statusCode: 503, code: 'FileDamaged' });
  t.same(await bob.listImages({ owner: BOB, state: 'all' }), []);
  const icon = served[1]?.file ?? '';
  await writeFile(file, BYTES);
  await truncate(icon, 3);
  await t.rejects(bob.cloneImage(uuid), { statusCode: 503, code: 'FileDamaged' });
});

test('a linked datacenter gets no more than recorded, and is told of less', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record, bytes } = await putImage(west, ALICE, { icon: ICON_RECORD });
  await putInto(west.service.storages.named('local'), imageObjectPath(record.uuid, 'icon'), ICON);
  const root = join(west.service.config.dataDir, 'storage');
  const client = await clientOf(east, 'us-west-1');
  const got = async (what: string) => {
    const answer = await client.send({ method: 'GET', path: `/link/images/${record.uuid}/${what}?account=${ALICE}` });
    return bytesOf(answer.body);
  };
  for (const [what, object, whole] of [
    ['file', 'file0', bytes],
    ['icon', 'icon', ICON],
  ] as const) {
    const file = join(root, imageObjectPath(record.uuid, object));
    await appendFile(file, 'more');
    t.ok((await got(what)).equals(whole), what);
    await truncate(file, whole.length - 1);
    await t.rejects(got(what), { statusCode: 503, code: 'FileDamaged' }, what);
  }
  await t.rejects(got('file/pieces'), { statusCode: 503, code: 'FileDamaged' });
  const pull = {
    uuid: record.uuid,
    index: 0,
    account: ALICE,
    datacenter: 'us-east-1',
    requestId: '',
    baseUrl: west.url,
  };
  await t.rejects(createPullUrl(west.service, pull), { code: 'FileDamaged' });
});

/** Lets a call of every open file fail as the system would. Answers the end of it. */
async function failing(t: Test, call: 'stat' | 'read' | 'write', code: string, errno: number): Promise<() => void> {
  const handle = await open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as Record<string, unknown>;
  await handle.close();
  const right = prototype[call];
  const failure = Object.assign(new Error(`${code}: it fails, ${call} '/secret'`), { code, errno, syscall: call });
  prototype[call] = () => Promise.reject(failure);
  const end = (): void => {
    prototype[call] = right;
  };
  t.teardown(end);
  return end;
}

const MACHINE = [
  ['EIO', -5],
  ['EACCES', -13],
  ['EMFILE', -24],
  ['EROFS', -30],
] as const;

test('a disk that fails is told by name and without its paths', async (t) => {
  const { ask, server, served } = await startServed(t);
  for (const [code, errno] of MACHINE) {
    const end = await failing(t, 'stat', code, errno);
    for (const { path } of served) {
      for (const method of ['GET', 'HEAD']) t.equal((await ask(path, { method })).status, 503, `${code} ${path}`);
      const { json } = await ask(path);
      t.match(json, { code: 'StorageIsDown', message: code });
      t.notMatch(json.message, 'secret');
    }
    end();
    const still = await failing(t, 'write', code, errno);
    const alice = server.client({ account: ALICE });
    const { uuid } = await alice.createImage({ name: 'x', version: '1', type: 'other', os: 'other' });
    const upload = { method: 'PUT', body: BYTES };
    const refusal = await ask(`/images/${uuid}/file?account=${ALICE}&compression=none`, upload);
    t.match(refusal, { status: 503, json: { code: 'StorageIsDown', message: code } });
    still();
    t.equal((await ask(`/images/${uuid}/file?account=${ALICE}&compression=none`, upload)).status, 200);
  }
});

test('a record without hash, date or store name, as today’s IMGAPI may have it, is served', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const ask = asker(t, server.url);
  const { contentMD5, sha256, mtime, stor, ...bare } = FILE;
  const { contentMD5: iconHash, mtime: iconDate, stor: iconStore, ...bareIcon } = ICON_RECORD;
  t.equal(mtime, MTIME);
  for (const [lacks, file, icon] of [
    ['a hash', { ...bare, mtime, stor }, { ...ICON_RECORD }],
    ['a date', { ...bare, contentMD5, stor }, { ...bareIcon, contentMD5: iconHash, stor: iconStore }],
    ['a store', { ...bare, contentMD5, mtime }, { ...bareIcon, contentMD5: iconHash, mtime: iconDate }],
    ['all of it', bare, { ...bareIcon, contentMD5: iconHash }],
  ] as const) {
    const record = imageRecord('active', { files: [file], icon, acl: [BOB] } as never);
    await putRecords(service, [record]);
    await putObject(service, record.uuid, 'file0', BYTES);
    await putObject(service, record.uuid, 'icon', ICON);
    const path = `/images/${record.uuid}`;
    const operator = server.client();
    const { url } = await operator.createImageFilePullUrl(record.uuid);
    const pull = new URL(url);
    const paths = [`${path}/file`, `${path}/icon`, pull.pathname + pull.search];
    for (const what of paths) {
      for (const method of ['GET', 'HEAD']) t.equal((await ask(what, { method })).status, 200, `${lacks}: ${what}`);
      t.ok((await ask(what)).bytes.equals(what.endsWith('icon') ? ICON : BYTES), `${lacks}: ${what}`);
      t.equal((await ask(what, { headers: { range: 'bytes=1-2' } })).status, 206);
    }
    t.equal((await ask(`${path}/file`, { headers: { 'if-none-match': FILE.sha1 } })).status, 304);
    for (const version of ['~1', '~2', '~3']) {
      const { status } = await ask(`${path}?inclAdminFields=true`, { headers: { 'accept-version': version } });
      t.equal(status, 200);
    }
    const clone = await server.client({ account: BOB }).cloneImage(record.uuid);
    t.ok((await ask(`/images/${clone.uuid}/file`)).bytes.equals(BYTES), `${lacks}: the clone`);
    t.equal((await ask(`${path}?account=${ALICE}`, { method: 'DELETE' })).status, 204);
  }
});
