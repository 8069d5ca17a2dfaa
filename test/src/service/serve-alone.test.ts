/** A server alone that is told by SIGHUP to take a changed configuration. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { imgapiProcess } from '#src/imgapi-process.ts';
import configSchema from '../../../etc/config.schema.json' with { type: 'json' };
import { MorayDouble } from '../../doubles/moray/server.ts';
import { freePort } from '../../helpers/free-port.ts';
import { type ConfigKeys, type Spawned, spawnImgapi } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { KEYS, signedHeaders } from '../imgapi/fixtures/signing.ts';

interface Alone extends Spawned {
  readonly log: () => string;
  /** Changes the file, sends SIGHUP, and waits until the log says this. */
  change(keys: ConfigKeys | string, said: string | RegExp): Promise<void>;
  readonly records: () => Record<string, unknown>[];
}

async function startAlone(t: Test, keys: ConfigKeys = {}): Promise<Alone> {
  let log = '';
  const port = await freePort();
  const server = await spawnImgapi(t, { logLevel: 'info', port, ...keys }, { onLog: (text) => (log += text) });
  const first = JSON.parse(readFileSync(server.configFile, 'utf8'));
  return {
    ...server,
    log: () => log,
    records: () =>
      log
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    async change(changed, said) {
      const from = log.length;
      const text = typeof changed === 'string' ? changed : JSON.stringify({ ...first, ...changed });
      writeFileSync(server.configFile, text);
      server.process.kill('SIGHUP');
      await waitFor(`"${said}"`, () =>
        typeof said === 'string' ? log.slice(from).includes(said) : said.test(log.slice(from)),
      );
    },
  };
}

const ping = async (url: string, headers: Record<string, string> = {}) => {
  const { statusCode, headers: answered, body } = await request(`${url}/ping`, { headers });
  return { statusCode, server: answered['server'], body: (await body.json()) as { pid?: number; user?: string } };
};

test('what a running server can take is taken while it runs', async (t) => {
  const server = await startAlone(t, { mode: 'public', authType: 'signature' });
  const { url } = server;
  t.equal((await ping(url, signedHeaders())).statusCode, 401);
  const authKeys = { sue: [KEYS.ed25519.publicKey.openssh] };
  await server.change({ authKeys }, 'took the new configuration');
  t.match(await ping(url, signedHeaders()), { statusCode: 200, body: { user: 'sue' } });
  t.match(
    server.records().findLast(({ keys }) => keys),
    { keys: ['authKeys'] },
  );
  await server.change({ authKeys, logLevel: 'debug' }, 'took the new configuration');
  await server.change({ authKeys, logLevel: 'error' }, '"keys":["logLevel"]');
  const before = server.log();
  t.equal((await ping(url)).statusCode, 200);
  await request(`${url}/images`).then(({ body }) => body.dump());
  await server.change({ authKeys, logLevel: 'info' }, 'took the new configuration');
  t.notMatch(server.log().slice(before.length), /"msg":"request"/, 'requests are not logged at this level');
  await request(`${url}/images`).then(({ body }) => body.dump());
  await waitFor('the audit', () => /"msg":"request"/.test(server.log().slice(before.length)));
  await server.change({ logLevel: 'info' }, '"keys":["authKeys"]');
  t.equal((await ping(url, signedHeaders())).statusCode, 401, 'a key that is taken out counts no more');
  t.notMatch(server.log(), 'starting anew');
  t.equal(await server.stop(), 0);
});

test('keys in files are read again even if the configuration has not changed', async (t) => {
  const server = await startAlone(t, { mode: 'public', authType: 'signature' });
  mkdirSync(join(server.dataDir, 'authkeys'));
  writeFileSync(join(server.dataDir, 'authkeys', 'sue.keys'), `${KEYS.rsa.publicKey.openssh}\n`);
  await server.change({}, 'the configuration has not changed');
  t.match(await ping(server.url, signedHeaders({ key: KEYS.rsa })), { statusCode: 200, body: { user: 'sue' } });
});

test('all else has the server start anew, in the same process, and a request under way ends as it should', async (t) => {
  const server = await startAlone(t);
  const { url } = server;
  const pid = (await ping(url)).body.pid;
  const client = server.client();
  const { uuid } = await client.createImage({
    name: 'slow',
    version: '1',
    type: 'other',
    os: 'other',
    owner: 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
  });
  let goOn: () => void = () => {};
  const pause = new Promise<void>((resolve) => (goOn = resolve));
  const upload = client.addImageFile(
    uuid,
    (async function* () {
      yield Buffer.alloc(1000);
      await pause;
      yield Buffer.alloc(1000);
    })(),
    { compression: 'none', size: 2000 },
  );
  await waitFor('the upload to begin', () => existsSync(join(server.dataDir, 'storage/staging')));
  await server.change({ serverName: 'another/1' }, 'starting anew');
  goOn();
  t.match(await upload, { files: [{ size: 2000 }] });
  await waitFor('it to listen again', () => /starting anew[\s\S]*listens on/.test(server.log()));
  t.match(await ping(url), { server: 'another/1', body: { pid } });
  t.match(
    server.records().find(({ msg }) => String(msg).startsWith('starting anew')),
    { keys: ['serverName'] },
  );

  const port = await freePort();
  await server.change({ port, limits: { jsonBytes: 2000 } }, `listens on http://127.0.0.1:${port}`);
  t.match(await ping(`http://127.0.0.1:${port}`), { statusCode: 200, body: { pid } });
  await t.rejects(ping(url), 'nobody listens at the old port');
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'x'.repeat(3000) }),
  });
  await body.dump();
  t.equal(statusCode, 413);
  t.equal(await server.stop(), 0);
});

test('a configuration that is wrong changes nothing, and the log says what is wrong', async (t) => {
  const server = await startAlone(t, { manta: undefined });
  const { url } = server;
  for (const wrong of ['{', '{"mode": "nonsense"}', '[]']) {
    await server.change(wrong, 'the configuration is wrong; the server goes on with the one that it has');
    t.equal((await ping(url)).statusCode, 200);
  }
  await server.change(
    { databaseType: 'oracle' },
    /databaseType: \\"oracle\\" is not right; it must be one of \\"local\\"/,
  );
  t.equal((await ping(url)).statusCode, 200);
  await server.change({}, 'the configuration has not changed');
});

test('one that the server cannot be started with is given up for the one before', async (t) => {
  const server = await startAlone(t);
  const { url } = server;
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as { port: number };
  await server.change({ port }, 'goes on with the one before');
  t.match(server.log(), new RegExp(`${port} is in use`));
  await waitFor('it to listen again', () => /goes on with the one before[\s\S]*listens on/.test(server.log()));
  t.equal((await ping(url)).statusCode, 200);
  // What is right then counts.
  await server.change({ serverName: 'right/1' }, /listens on/);
  t.equal((await ping(url)).server, 'right/1');
});

test('one that is to start anew while its database is away starts when that is there again', async (t) => {
  const double = await new MorayDouble().start();
  t.teardown(() => double.stop());
  const moray = { host: '127.0.0.1', port: double.port, timeoutSeconds: 1, startSeconds: 1 };
  const keys = { databaseType: 'moray', moray };
  const server = await startAlone(t, keys);
  const other = { placeholderImageLifespanDays: 3 };
  const servesAgain = async (): Promise<void> => {
    const from = server.log().length;
    await double.start();
    await waitFor('it to listen again', () => server.log().slice(from).includes('listens on'));
    t.equal((await ping(server.url)).body.pid, server.process.pid);
  };
  await double.stop();
  await server.change({ ...keys, ...other }, 'nor with the one before');
  await servesAgain();
  await double.stop();
  await server.change(keys, 'nor with the one before');
  await server.change('{', 'the configuration is wrong');
  await server.change({ ...keys, ...other }, 'nor with the one before');
  await servesAgain();
  await double.stop();
  await server.change(keys, 'nor with the one before');
  t.equal(await server.stop(), 0, 'it can be told to end meanwhile');
});

test('a server alone becomes several when the configuration wants that', async (t) => {
  const server = await startAlone(t);
  const { url } = server;
  const { pid } = (await ping(url)).body;
  await server.change({ workers: 2 }, 'starting anew');
  await waitFor('a worker to answer', async () => {
    const found = (await ping(url).catch(() => undefined))?.body.pid;
    return found !== undefined && found !== pid;
  });
  t.equal(await server.stop(), 0);
});

test('a server that is told to end while it starts anew ends', async (t) => {
  const server = await startAlone(t);
  await server.change({ serverName: 'another/1' }, 'starting anew');
  t.equal(await server.stop(), 0);
});

test('each key of the configuration is taken by a running server, or has it start anew; the docs say which', async (t) => {
  const keys = Object.keys(configSchema.properties);
  t.ok(imgapiProcess.live.every((key) => keys.includes(key)));
  const page = readFileSync('docs/operator-guide.md', 'utf8');
  const [, row = ''] = /^\| taken while it runs \| (.*) \|$/m.exec(page) ?? [];
  t.strictSame(
    [...row.matchAll(/`(\w+)`/g)].map(([, key]) => key),
    [...imgapiProcess.live],
  );
});
