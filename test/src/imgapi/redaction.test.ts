/** Passwords in URLs and signatures of URLs: in no answer, no order, no log line, no message of a command. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../../helpers/imgapi.ts';
import { PATIENCE_MS, waitFor } from '../../helpers/wait.ts';

const SECRET = 'Geheim';
const ROOT = join(import.meta.dirname, '../../..');
const NOWHERE = '127.0.0.1:1';
const UUID = '01234567-89ab-4def-8123-456789abcdef';

const folder = await temporaryFolder(t);
let log = '';
const server = await spawnImgapi(
  t,
  { logLevel: 'debug', imgapiUrlFromDatacenter: { other: `http://op:${SECRET}@${NOWHERE}` } },
  {
    onLog: (text) => {
      log += text;
    },
  },
);
const { uuid } = await server.client({ account: ALICE }).createImage({ ...MANIFEST });
const source = encodeURIComponent(`http://op:${SECRET}@${NOWHERE}`);
const json = { 'content-type': 'application/json' };

interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const ASKS: readonly Ask[] = [
  { method: 'POST', path: `/images/${UUID}?action=import-remote&source=${source}` },
  { method: 'POST', path: `/images/${UUID}?action=import&source=${source}` },
  { method: 'POST', path: `/images/${UUID}?action=import&source=http:op:${SECRET}@${NOWHERE}` },
  { method: 'POST', path: `/images/${UUID}?action=import&source=ftp://op:${SECRET}@host` },
  { method: 'PUT', path: `/images/${uuid}/file?source=${source}` },
  { method: 'POST', path: `/images/${UUID}?action=import-from-datacenter&datacenter=other&account=${ALICE}` },
  { method: 'POST', path: `/images/${UUID}?action=import-remote&source=http://${NOWHERE}/%3Ftoken%3D${SECRET}` },
  {
    method: 'POST',
    path: `/images/${uuid}/file/from-url?compression=none`,
    headers: json,
    body: JSON.stringify({ file_url: `https://op:${SECRET}@${NOWHERE}/x` }),
  },
  {
    method: 'POST',
    path: `/images/${uuid}?action=update`,
    headers: json,
    body: JSON.stringify({ homepage: `ftp://op:${SECRET}@host/`, os: `http://op:${'x'.repeat(90)}${SECRET}@host/` }),
  },
  { path: `/pulls/20260101/x?expires=1&%73ignature=${SECRET}` },
  { path: `/pulls/20260101/x?expires=1&signature=${SECRET}` },
  { path: `/images?limit=http://op:${SECRET}@host/` },
  { path: `/images?marker=x&name=http://op:${SECRET}@host/` },
  { path: '/nowhere', headers: { referer: `https://op:${SECRET}@host/?%73ignature=${SECRET}` } },
  { path: '/nowhere', headers: { 'x-forwarded-uri': `/pulls/1/2?signature=${SECRET}`, cookie: SECRET } },
  ...['x-forwarded-authorization', 'set-cookie', 'x-csrf-token', 'x-api-key', 'x-client-secret', 'x-password'].map(
    (name): Ask => ({ path: '/nowhere', headers: { [name]: SECRET } }),
  ),
  { path: `/http://op:${SECRET}@host/nowhere` },
];

for (const { method = 'GET', path, headers = {}, body } of ASKS) {
  t.test(`${method} ${path.replaceAll(SECRET, '…')} tells no secret`, async (t) => {
    const answer = await request(`${server.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.body.text();
    t.ok(answer.statusCode >= 400 || /token/.test(path), String(answer.statusCode));
    t.notMatch(text, new RegExp(SECRET), text);
    const id = String(answer.headers['x-request-id']);
    const line = await waitFor('the line of the request', () => {
      const lines = log.split('\n');
      return lines.find((found) => found.includes(id) && found.includes('"audit":true'));
    });
    t.notMatch(line, new RegExp(SECRET), line);
  });
}

t.test('orders tell no secret', async (t) => {
  const answer = await request(`${server.url}/copies`, { headers: { 'accept-version': '~3' } });
  t.notMatch(await answer.body.text(), new RegExp(SECRET));
});

t.test('the whole log has no secret', async (t) => {
  await server.stop();
  const lines = log.split('\n');
  t.ok(lines.length > ASKS.length);
  t.strictSame(
    lines.filter((line) => line.includes(SECRET)),
    [],
  );
});

t.test('commands tell no secret', async (t) => {
  const config = join(folder, 'bad.json');
  await writeFile(
    config,
    JSON.stringify({ publicUrl: `ftp://op:${SECRET}@host`, lxdRegistries: { x: `x://op:${SECRET}@y` } }),
  );
  for (const args of [
    ['src/cli/imgapiadm/main.ts', '-u', `http://op:${SECRET}@${NOWHERE}`, 'list'],
    ['src/cli/imgapiadm/main.ts', '-u', `ftp://op:${SECRET}@${NOWHERE}`, 'list'],
    ['src/cli/imgapiadm/main.ts', 'check-config', config],
    ['src/main.ts', '-f', config],
  ]) {
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT, timeout: PATIENCE_MS }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    t.match(said, /imgapi/);
    t.notMatch(said, new RegExp(SECRET), said);
  }
});
