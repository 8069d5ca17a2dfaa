/** The process: its configuration, its first line, its end. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { checkCloudapiConfig } from '#src/cloudapi/config.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, makePeople, spawnCloudapi } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';
import { PATIENCE_MS, waitFor } from '../../helpers/wait.ts';

const ROOT = join(import.meta.dirname, '../../..');
const people = makePeople();

t.test('the first line says where it listens, and SIGTERM lets requests end', async (t) => {
  const server = await startInProcess(t);
  const { image } = await makeImage(server.client({ account: ALICE }));
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  t.teardown(() => proxy.close());
  const cloudapi = await spawnCloudapi(t, { people: Object.values(people), imgapi: proxy.url });
  t.match(cloudapi.line, /^cloudapi of test-1 listens on http:\/\/127\.0\.0\.1:\d+, images from http:\/\/127/);
  const ask = asker(t, cloudapi.url);
  const get = () => ask(`/my/images/${image.uuid}`, { as: people.alice });
  t.equal((await get()).status, 200);

  proxy.trouble = { kind: 'slow', bytesPerSecond: 1000 };
  const before = proxy.received;
  const slow = get();
  await waitFor('IMGAPI to answer', () => proxy.received > before);
  const exited = once(cloudapi.process, 'exit');
  cloudapi.process.kill('SIGTERM');
  t.equal((await slow).status, 200);
  t.same(await exited, [0, null]);
});

t.test('a configuration that is wrong is refused with every problem', async (t) => {
  const file = join(await temporaryFolder(t), 'config.json');
  await writeFile(
    file,
    JSON.stringify({ port: 'x', imgapi: { url: 'nowhere' }, datacenters: { a: 'ftp://b' }, trustedProxies: ['10/8'] }),
  );
  t.match(await run('-f', file), {
    code: 1,
    stdout: '',
    stderr: [
      'port: "x" is not right; it must be a port number',
      'imgapi.url: "nowhere" is not right; it must be an http or https URL',
      'datacenters.a:',
      'trustedProxies[0]: "10/8" is not right; it must be an IP address or a range',
      'datacenterName: missing',
      'accounts.file: missing, and so is ufds',
    ].reduce((all, line) => new RegExp(`${all.source}(?=[^]*${line.replace(/[.[\]]/g, '\\$&')})`), /^/),
  });
  t.match(await run('-f', join(file, 'not')), { code: 1, stderr: /cloudapi: .*not/ });
  t.match(await run(), { code: 2, stderr: /usage: imgapi-cloudapi -f CONFIG/ });
  t.match(await run('--colour'), { code: 2, stderr: /usage/ });
  t.match(await run('-h'), { code: 0, stdout: /the log goes to standard error/ });
});

t.test('a port that is taken', async (t) => {
  const server = await startInProcess(t);
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config.json');
  const accounts = { file: join(folder, 'accounts.json') };
  const port = Number(new URL(server.url).port);
  await writeFile(file, JSON.stringify({ port, datacenterName: 'a', imgapi: { url: server.url }, accounts }));
  t.match(await run('-f', file), { code: 1, stderr: /EADDRINUSE/ });
});

t.test('the example is a good configuration', async (t) => {
  const example = JSON.parse(readFileSync(join(ROOT, 'etc/examples/cloudapi.json'), 'utf8')) as Record<string, unknown>;
  const { config, unknownKeys } = checkCloudapiConfig(example);
  t.same(unknownKeys, []);
  t.match(config, { ...example, clockSkewSeconds: 300, logLevel: 'info' });
});

t.test('unknown keys are named', async (t) => {
  const { unknownKeys } = checkCloudapiConfig({
    datacenterName: 'a',
    imgapi: { url: 'http://b', user: 'c' },
    accounts: { file: 'd' },
    colour: 'red',
  });
  t.same(unknownKeys.toSorted(), ['colour', 'imgapi.user']);
});

t.test('every key of the schema has a description that is a sentence', async (t) => {
  const schema = JSON.parse(readFileSync(join(ROOT, 'etc/cloudapi.schema.json'), 'utf8')) as Node;
  for (const [path, { description = '' }] of keysOf(schema)) t.match(description, /^\S.*\.$/, path);
});

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
}

function* keysOf(node: Node, path = ''): Generator<[path: string, node: Node]> {
  for (const [key, below] of Object.entries(node.properties ?? {})) {
    yield [`${path}${key}`, below];
    yield* keysOf(below, `${path}${key}.`);
  }
}

function run(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const command = ['src/cloudapi/main.ts', ...args];
    execFile(process.execPath, command, { cwd: ROOT, timeout: PATIENCE_MS }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}
