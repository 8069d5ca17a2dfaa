/** The configuration for TLS, with nginx itself: the link listener answers through it, and nothing but links does. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { Agent, request } from 'undici';
import { startNginx } from '../engines/nginx.ts';
import { withPlaces } from '../etc/start-file.ts';
import { freePort } from '../helpers/free-port.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { waitFor } from '../helpers/wait.ts';
import { missing } from './installed.ts';

const skip = missing('nginx') || missing('openssl');

test('behind nginx with TLS the link listener answers, and only links pass', { skip }, async (t) => {
  const front = await freePort();
  const { linksUrl = '' } = await startInProcess(t, { links: { port: 0, publicUrl: `https://127.0.0.1:${front}` } });
  const folder = t.testdir();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  t.equal(made.status, 0);
  const config = withPlaces(readFileSync('etc/nginx/imgapi-links-tls.conf', 'utf8'), {
    '203.0.113.20:443': `127.0.0.1:${front}`,
    '/etc/imgapi/tls/fullchain.pem': cert,
    '/etc/imgapi/tls/privkey.pem': key,
    'http://10.99.1.21:8081': linksUrl,
  });
  await startNginx(t, config);
  const dispatcher = new Agent({ connect: { ca: readFileSync(cert) } });
  t.teardown(() => dispatcher.destroy());
  const ask = async (path: string) => {
    const { statusCode, body } = await request(`https://127.0.0.1:${front}${path}`, { dispatcher });
    await body.dump();
    return statusCode;
  };
  await waitFor('nginx to answer', async () => (await ask('/link/ping').catch(() => undefined)) !== undefined);
  t.equal(await ask('/link/ping'), 401, 'who does not sign is refused');
  t.equal(await ask('/images'), 404, 'the API is not there');
});
