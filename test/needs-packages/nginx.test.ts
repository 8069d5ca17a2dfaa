/** The configuration of nginx that the page on many processes shows, with nginx itself and two processes behind it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { request } from 'undici';
import { ALICE } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../helpers/imgapi.ts';
import { startLoad } from '../helpers/load.ts';
import { waitFor } from '../helpers/wait.ts';
import { missing } from './installed.ts';

const skip = missing('nginx');

test('behind nginx as the page has it, processes are restarted without a failed request', { skip }, async (t) => {
  const folder = await temporaryFolder(t, 'nginx');
  const [, shown = ''] = /^```nginx\n([\s\S]*?)^```/m.exec(readFileSync('docs/many-processes.md', 'utf8')) ?? [];
  const ports = [await freePort(), await freePort()];
  const front = await freePort();
  const keys = { publicUrl: `http://127.0.0.1:${front}`, connections: { perAddress: 1000 } };
  const one = await spawnImgapi(t, keys, { port: ports[0] ?? 0 });
  const start = async (at: number) => spawnImgapi(t, keys, { port: ports[at] ?? 0, dataDir: one.dataDir });
  const servers = [one, await start(1)];
  const config = shown
    .replace('10.99.1.21:80', `127.0.0.1:${ports[0]}`)
    .replace('10.99.1.22:80', `127.0.0.1:${ports[1]}`)
    .replace('10.99.1.20:80', `127.0.0.1:${front}`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`);
  await mkdir(join(folder, 'tmp'));
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; pid nginx.pid; error_log error.log; events { } http { access_log off; ${paths.join(' ')}\n${config}}\n`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-e', 'error.log', '-c', 'nginx.conf'], { stdio: 'inherit' });
  const gone = once(nginx, 'exit');
  t.teardown(async () => {
    nginx.kill('SIGQUIT');
    await gone;
  });
  const url = `http://127.0.0.1:${front}`;
  await waitFor(
    'nginx to answer',
    async () => (await request(`${url}/healthz`).catch(() => undefined))?.statusCode === 200,
  );
  const alice = one.client({ url, account: ALICE });
  const { image, bytes } = await makeImage(alice, {}, { size: 3_000_000 });
  const { body } = await request(`${url}/images/${image.uuid}/file?account=${ALICE}`);
  t.equal(sha1Of(Buffer.from(await body.arrayBuffer())), sha1Of(bytes));
  const load = startLoad(url, `/images/${image.uuid}?account=${ALICE}`);
  for (const at of [0, 1]) {
    const enough = load.good + 300;
    await waitFor('requests to be answered', () => load.good > enough);
    t.equal(await servers[at]?.stop(), 0);
    servers[at] = await start(at);
    // A server that did not answer is left alone for so long.
    await waitFor('nginx to ask both again', async () => (await health(ports)).every((status) => status === 200));
    await once(AbortSignal.timeout(2500), 'abort');
  }
  await load.end();
  t.strictSame(load.failures, []);
  t.ok(load.good > 600, `${load.good} requests were answered`);
});

function health(ports: readonly number[]): Promise<number[]> {
  return Promise.all(
    ports.map(async (port) => {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/healthz`);
      await body.dump();
      return statusCode;
    }),
  );
}
