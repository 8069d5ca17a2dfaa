/** The configuration for nginx, with nginx itself and three processes behind it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { request } from 'undici';
import { startNginx } from '../engines/nginx.ts';
import { withPlaces } from '../etc/start-file.ts';
import { ALICE } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { spawnImgapi } from '../helpers/imgapi.ts';
import { startLoad } from '../helpers/load.ts';
import { waitFor } from '../helpers/wait.ts';
import { missing } from './installed.ts';

const skip = missing('nginx');

test('behind nginx as etc/nginx has it, processes are restarted without a failed request', { skip }, async (t) => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const front = await freePort();
  const keys = { publicUrl: `http://127.0.0.1:${front}`, connections: { perAddress: 1000 } };
  const one = await spawnImgapi(t, keys, { port: ports[0] ?? 0 });
  const start = async (at: number) => spawnImgapi(t, keys, { port: ports[at] ?? 0, dataDir: one.dataDir });
  const servers = [one, await start(1), await start(2)];
  const config = withPlaces(readFileSync('etc/nginx/imgapi.conf', 'utf8'), {
    '10.99.1.21:8080': `127.0.0.1:${ports[0]}`,
    '10.99.1.22:8080': `127.0.0.1:${ports[1]}`,
    '10.99.1.23:8080': `127.0.0.1:${ports[2]}`,
    '10.99.1.20:8081': `127.0.0.1:${await freePort()}`,
    '10.99.1.20:80;': `127.0.0.1:${front};`,
  });
  await startNginx(t, config);
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
  for (const at of [0, 1, 2]) {
    const enough = load.good + 300;
    await waitFor('requests to be answered', () => load.good > enough);
    t.equal(await servers[at]?.stop(), 0);
    servers[at] = await start(at);
    // A server that did not answer is left alone for so long.
    await waitFor('nginx to ask all again', async () => (await health(ports)).every((status) => status === 200));
    await once(AbortSignal.timeout(2500), 'abort');
  }
  await load.end();
  t.strictSame(load.failures, []);
  t.ok(load.good > 900, `${load.good} requests were answered`);
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
