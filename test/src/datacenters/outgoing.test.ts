/**
 * Where requests may send this service: every way in which a request can name another server, with every kind of place that
 * it must not reach, as an address and behind a name. Whatever is refused is not even connected to.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { withLeastRate } from '#src/datacenters/sources/least-rate.ts';
import type { WithConfig } from '#src/service/config/config.ts';
import { namesFor } from '../../doubles/names.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { type InProcess, startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { type Ask, asker } from '../imgapi/fixtures/ask.ts';

/** Counts connections, and says nothing. */
async function startSilent(t: Test): Promise<{ readonly port: number; readonly connections: () => number }> {
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
    socket.end();
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  return { port, connections: () => connections };
}

interface Way {
  readonly field: 'source' | 'file_url';
  /** @param image one that has no file yet @param url of the other server */
  readonly ask: (image: string, url: string, account?: string) => readonly [path: string, ask: Ask];
}

const by = (account?: string): string => (account === undefined ? '' : `&account=${account}`);

const WAYS: Readonly<Record<string, Way>> = {
  'import from a source': {
    field: 'source',
    ask: (_, url, account) => [
      `/images/${randomUUID()}?action=import&source=${encodeURIComponent(url)}${by(account)}`,
      { method: 'POST' },
    ],
  },
  'import-remote': {
    field: 'source',
    ask: (_, url, account) => [
      `/images/${randomUUID()}?action=import-remote&source=${encodeURIComponent(url)}${by(account)}`,
      { method: 'POST' },
    ],
  },
  'a file from a source': {
    field: 'source',
    ask: (image, url, account) => [
      `/images/${image}/file?source=${encodeURIComponent(url)}${by(account)}`,
      { method: 'PUT' },
    ],
  },
  'a file from a URL': {
    field: 'file_url',
    ask: (image, url, account) => [
      `/images/${image}/file/from-url?compression=none${by(account)}`,
      { method: 'POST', json: { file_url: `${url.replace(/^http:/, 'https:')}/x` } },
    ],
  },
};

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** Never, whatever the configuration says. */
const NEVER = [
  '169.254.169.254',
  'fe80::1',
  '::ffff:169.254.169.254',
  '0.0.0.0',
  '::',
  '224.0.0.1',
  'fec0::1',
  '100::1',
];
/** Only if the configuration says so. */
const INSIDE = [
  '127.0.0.1',
  '::1',
  '10.1.2.3',
  '192.168.1.1',
  '172.16.0.1',
  'fd00::1',
  '100.64.0.1',
  '::ffff:127.0.0.1',
];

async function emptyImage({ client }: InProcess): Promise<string> {
  return (await makeImage(client({ account: ALICE }), {}, { activate: false })).image.uuid;
}

for (const [name, { field, ask: requestOf }] of Object.entries(WAYS)) {
  test(`${name}: neither addresses nor names lead inside`, async (t) => {
    const silent = await startSilent(t);
    const names = namesFor(t);
    for (const allowPrivateAddresses of [false, true]) {
      const server = await startInProcess(t, { sources: { allowPrivateAddresses } });
      const ask = asker(t, server.url);
      const image = await emptyImage(server);
      const refused = async (host: string, port = silent.port) => {
        const answer = await ask(...requestOf(image, `http://${host}:${port}`));
        t.match(
          answer,
          { status: 422, json: { code: 'InvalidParameter', errors: [{ field, code: 'NotAllowed' }] } },
          host,
        );
      };
      const own = Number(new URL(server.url).port);
      for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '2130706433', '0x7f.1']) {
        await refused(host, own);
      }
      for (const address of [...NEVER, ...(allowPrivateAddresses ? [] : INSIDE)]) {
        await refused(bracketed(address));
        names.of.set('inside.example', [[address]]);
        await refused('inside.example');
        // One that may be connected to does not help.
        names.of.set('mixed.example', [['192.0.2.1', address], [address]]);
        await refused('mixed.example');
      }
      // Loopback has to be named as such: a name of somebody else's must not lead there.
      names.of.set('loop.example', [['127.0.0.1']]);
      await refused('loop.example');
    }
    t.equal(silent.connections(), 0, 'nothing was connected to');
  });

  test(`${name}: a name is looked up once, and what was checked is connected to`, async (t) => {
    const silent = await startSilent(t);
    const names = namesFor(t);
    const server = await startInProcess(t, { sources: { allowPrivateAddresses: true } });
    const ask = asker(t, server.url);
    const image = await emptyImage(server);
    // The first answer is of a network that does not exist; a second look-up would lead to this machine.
    names.of.set('rebinding.example', [['10.255.255.1'], ['127.0.0.1']]);
    const asked = ask(...requestOf(image, `http://rebinding.example:${silent.port}`));
    const answer = await asked;
    t.ok([400, 503].includes(answer.status), `${answer.status}: it cannot be reached`);
    t.strictSame(names.asked, ['rebinding.example']);
    t.equal(silent.connections(), 0);
  });

  test(`${name}: only operators name servers`, async (t) => {
    const silent = await startSilent(t);
    const server = await startInProcess(t);
    const image = await emptyImage(server);
    const answer = await asker(t, server.url)(...requestOf(image, `http://127.0.0.1:${silent.port}`, ALICE));
    t.match(answer, { status: 403, json: { code: 'OperatorOnly' } });
    t.equal(silent.connections(), 0);
  });

  test(`${name}: other schemes, and credentials, are refused`, async (t) => {
    const server = await startInProcess(t);
    const ask = asker(t, server.url);
    const image = await emptyImage(server);
    for (const url of [
      'ftp://example.com',
      'file:///etc/passwd',
      'gopher://127.0.0.1:70',
      'http://me:secret@example.com',
    ]) {
      const answer = await ask(...requestOf(image, url));
      t.match(answer, { status: 422, json: { errors: [{ field, code: 'Invalid' }] } }, url);
    }
  });
}

test('a file that only drips is given up, one that this side is slow to take is not', async (t) => {
  const uuid = randomUUID();
  const bytes = randomBytes(400_000);
  const sha1 = sha1Of(bytes);
  let isDripping = true;
  let closed = 0;
  const web = createHttpServer((request, response) => {
    if (!request.url?.startsWith(`/images/${uuid}/file`)) {
      const files = [{ sha1, size: bytes.length, compression: 'none' }];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...MANIFEST, v: 2, uuid, owner: ALICE, state: 'active', public: true, files }));
      return;
    }
    response.writeHead(200, { 'content-length': bytes.length });
    if (!isDripping) return void response.end(bytes);
    const drip = setInterval(() => response.write('x'), 50);
    response.once('close', () => {
      clearInterval(drip);
      closed++;
    });
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.teardown(() => web.closeAllConnections());
  t.teardown(() => web.close());
  const source = `http://127.0.0.1:${(web.address() as { port: number }).port}`;
  const server = await startInProcess(t, { copies: { leastRateSeconds: 1 } });
  const operator = server.client();
  await operator.adminImportImage({ ...MANIFEST, v: 2, uuid, owner: ALICE });
  await t.rejects(operator.addImageFileFromSource(uuid, source), {
    statusCode: 503,
    code: 'RemoteSourceError',
    message: /too slow: only \d+ bytes came in 1 s/,
  });
  await waitFor('the connection to be closed', () => closed === 1);
  isDripping = false;
  t.match(await operator.addImageFileFromSource(uuid, source), { files: [{ sha1, size: bytes.length }] });

  const config = { copies: { leastRate: 1_000_000, leastRateSeconds: 0.2 } };
  const quick = withLeastRate({ config } as unknown as WithConfig, Readable.from([bytes, bytes, bytes]), 'x');
  let taken = 0;
  for await (const piece of quick) {
    taken += (piece as Buffer).length;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.equal(taken, 3 * bytes.length);
});
