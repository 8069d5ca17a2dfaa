/** docs/behind-nginx.md with Debian's nginx: files that it sends itself, to those who may have them and to nobody else. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import tap, { test } from 'tap';
import { request } from 'undici';
import { operatorTokenPath } from '#src/service/operator-token.ts';
import { readJson } from '../../docs/runner/blocks.ts';
import { runDocument } from '../../docs/runner/run-document.ts';
import { workplaceFor } from '../../docs/runner/workplace.ts';
import { startNginx } from '../../engines/nginx.ts';
import { withPlaces } from '../../etc/start-file.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { said, statuses } from '../../helpers/raw-socket.ts';
import { waitFor } from '../../helpers/wait.ts';
import { missing } from '../installed.ts';

const skip = missing('nginx');
const setting = skip ? undefined : await start();

async function start() {
  const log: string[] = [];
  const keys = { logLevel: 'info', ...(readJson('docs/behind-nginx.md') as object) };
  const server = await spawnImgapi(tap, keys, { onLog: (text) => log.push(text) });
  const front = await freePort();
  const config = withPlaces(readFileSync('etc/nginx/imgapi-files.conf', 'utf8'), {
    '127.0.0.1:8080': new URL(server.url).host,
    '10.99.1.20:80': `127.0.0.1:${front}`,
    '/var/lib/imgapi/storage/': `${server.dataDir}/storage/`,
  });
  await startNginx(tap, config, { isOurs: true });
  const url = `http://127.0.0.1:${front}`;
  const isUp = async () => (await request(`${url}/ping`).catch(() => undefined))?.statusCode === 200;
  await waitFor('nginx to answer', isUp);
  const alice = server.client({ url, account: ALICE });
  const made = await makeImage(alice, {}, { size: 300_000 });
  return { server, url, log, alice, uuid: made.image.uuid, bytes: made.bytes };
}

type Headers = Readonly<Record<string, string>>;

/** What changes from one request to the next, and what is the proxy's. */
const OWN = ['date', 'server', 'x-request-id', 'x-response-time', 'connection', 'keep-alive'];

async function ask(url: string, headers: Headers = {}, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await request(url, { method, headers });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const told = Object.entries(answer.headers).filter(([name]) => !OWN.includes(name));
  return { status: answer.statusCode, bytes, told: Object.fromEntries(told), headers: answer.headers };
}

const ACCEL = { 'X-Sendfile-Type': 'X-Accel-Redirect' };

test('a file is the same through nginx, whole, in ranges, with conditions and for HEAD', { skip }, async (t) => {
  if (!setting) return;
  const { server, url, uuid, bytes, log } = setting;
  const path = `/images/${uuid}/file?account=${ALICE}`;
  const asked = await ask(`${server.url}${path}`, ACCEL);
  t.equal(asked.bytes.length, 0, 'nginx is told to send it');
  t.equal(asked.headers['x-accel-redirect'], `/imgapi-files/images/${uuid.slice(0, 3)}/${uuid}/file0`);
  const { etag = '', 'last-modified': date = '' } = (await ask(`${server.url}${path}`)).headers as Headers;
  const all: Headers[] = [
    {},
    { Range: 'bytes=0-99' },
    { Range: 'bytes=100-' },
    { Range: 'bytes=-7' },
    { Range: 'bytes=299999-400000' },
    { Range: 'bytes=300000-' },
    { Range: 'bytes=9-1' },
    { Range: 'bytes=0-1,5-6' },
    { Range: 'lines=1-2' },
    { 'If-None-Match': etag },
    { 'If-None-Match': '"other"' },
    { 'If-Match': '"other"' },
    { 'If-Match': etag },
    { 'If-Modified-Since': date },
    { 'If-Unmodified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
    { Range: 'bytes=0-9', 'If-Range': etag },
    { Range: 'bytes=0-9', 'If-Range': '"other"' },
  ];
  for (const method of ['GET', 'HEAD'] as const) {
    for (const headers of all) {
      const [ours, theirs] = [
        await ask(`${server.url}${path}`, headers, method),
        await ask(`${url}${path}`, headers, method),
      ];
      const what = `${method} ${JSON.stringify(headers)}`;
      t.equal(theirs.status, ours.status, what);
      t.strictSame(theirs.told, ours.told, `${what}: headers`);
      t.ok(theirs.bytes.equals(ours.bytes), `${what}: bytes`);
    }
  }
  const whole = await ask(`${url}${path}`);
  t.ok(whole.bytes.equals(bytes));
  const id = String(whole.headers['x-request-id']);
  const isLogged = () => log.join('').includes(`"req_id":"${id}"`);
  await waitFor('the request to be in the log', isLogged);
  const line =
    log
      .join('')
      .split('\n')
      .find((text) => text.includes(id)) ?? '';
  t.match(JSON.parse(line), { route: 'GetImageFile', status: 200, account: ALICE });
});

test('nobody gets by nginx what the service would not give', { skip }, async (t) => {
  if (!setting) return;
  const { server, url, uuid, bytes } = setting;
  const place = `images/${uuid.slice(0, 3)}/${uuid}/file0`;
  t.equal((await ask(`${url}/images/${uuid}/file?account=${BOB}`)).status, 404, 'a stranger');
  t.equal((await ask(`${url}/images/${uuid}/file?account=${BOB}`, ACCEL)).status, 404, 'one who sets headers');
  const tricks = [
    `/imgapi-files/${place}`,
    `//imgapi-files/${place}`,
    `/%69mgapi-files/${place}`,
    `/imgapi-files/../imgapi-files/${place}`,
    `/images/../imgapi-files/${place}`,
    `/images/%2e%2e/imgapi-files/${place}`,
    `/imgapi-files/images/../../imgapi.db`,
    `/imgapi-files../accounts.json`,
    `/imgapi-files`,
    `/images/${uuid}/file/../../../imgapi-files/${place}?account=${ALICE}`,
    `http://x/imgapi-files/${place}`,
  ];
  for (const trick of tricks) {
    const text = await said(url, `GET ${trick} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    t.ok([400, 404].includes(statuses(text)[0] ?? 0), `${trick}: ${statuses(text)}`);
    t.notOk(text.includes(bytes.toString('latin1').slice(0, 50)), trick);
  }
  const told = `X-Accel-Redirect: /imgapi-files/${place}\r\n`;
  const answered = await said(
    url,
    `GET /images/${uuid}/file?account=${BOB} HTTP/1.1\r\nHost: x\r\n${told}Connection: close\r\n\r\n`,
  );
  t.strictSame(statuses(answered), [404], 'the header of the answer in a request');
  const elsewhere = await spawnImgapi(t, { storage: { accelRedirect: { proxies: ['192.0.2.7'] } } });
  const { image } = await makeImage(elsewhere.client({ account: ALICE }), {}, { size: 1000 });
  const sent = await ask(`${elsewhere.url}/images/${image.uuid}/file?account=${ALICE}`, ACCEL);
  t.equal(sent.bytes.length, 1000, 'who is no proxy gets the bytes');
  t.notOk('x-accel-redirect' in sent.headers);
  const url2 = `${server.url}/images/${uuid}/file?account=${ALICE}`;
  t.equal((await ask(url2, { 'X-Sendfile-Type': 'X-Sendfile' })).bytes.length, bytes.length, 'another form');
});

test('the token of the machine is good on the machine, and not through nginx', { skip }, async (t) => {
  if (!setting) return;
  const { server, url } = setting;
  const token = readFileSync(operatorTokenPath(server.dataDir), 'utf8').trim();
  const headers = { Authorization: `Bearer ${token}` };
  t.equal((await ask(`${server.url}/admin/findings`, headers)).status, 200);
  t.equal((await ask(`${url}/admin/findings`, headers)).status, 401);
});

test('what nginx cannot send, the service sends or explains', { skip }, async (t) => {
  if (!setting) return;
  const { server, url, alice } = setting;
  const draft = await alice.createImage({ name: 'draft', version: '1', type: 'zone-dataset', os: 'linux' });
  const bytes = randomBytes(5000);
  await alice.addImageFile(draft.uuid, Readable.from([bytes]), { compression: 'none' });
  const path = `/images/${draft.uuid}/file?account=${ALICE}`;
  t.notOk('x-accel-redirect' in (await ask(`${server.url}${path}`, ACCEL)).headers, 'it may get another file');
  t.ok((await ask(`${url}${path}`)).bytes.equals(bytes));
  await alice.activateImage(draft.uuid);
  t.ok('x-accel-redirect' in (await ask(`${server.url}${path}`, ACCEL)).headers);
  const pull = await server.client().createImageFilePullUrl(draft.uuid);
  const pulled = await ask(pull.url, ACCEL);
  t.ok(pulled.bytes.equals(bytes), 'pull URLs are served as ever');
  const file = join(server.dataDir, 'storage/images', draft.uuid.slice(0, 3), draft.uuid, 'file0');
  await rename(file, `${file}.away`);
  const gone = await ask(`${url}${path}`);
  t.equal(gone.status, 404);
  t.match(JSON.parse(String(gone.bytes)), { code: 'ResourceNotFound' });
});

test('every line of the page on nginx does what it says', { skip }, async (t) => {
  if (!setting) return;
  const { server, url, uuid } = setting;
  const { shell } = await workplaceFor(t);
  await runDocument(t, {
    file: 'docs/behind-nginx.md',
    shells: { '': shell() },
    values: { IMAGE: uuid, 'http://10.99.1.20': url, 'http://127.0.0.1:8080': server.url },
    notRun: ['it needs root, and nginx as a service'],
    after: {
      "curl -s -D - -H 'X-Sendfile-Type: X-Accel-Redirect' http://127.0.0.1:8080/images/IMAGE/file | grep X-Accel": ({
        stdout,
      }) => void t.match(stdout, uuid),
    },
  });
});
