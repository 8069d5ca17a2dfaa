import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Environment } from '#src/cli/framework/command.ts';
import { Connection } from '#src/cli/imgapiadm/connection/connection.ts';
import type { ConnectionValues } from '#src/cli/imgapiadm/connection/options.ts';
import { makeImage } from '../../../../helpers/images.ts';
import { startInProcess } from '../../../../helpers/imgapi.ts';
import { runImgapiadm } from '../../capture.ts';
import { dataFolder } from '../../data-folder.ts';
import { ALICE, image, UUID } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

test('the server is that of --url, else that of IMGAPI_URL', async (t) => {
  const named = await playBack(t, { 'GET /images': json([image({ name: 'named' })]) });
  const usual = await playBack(t, { 'GET /images': json([image({ name: 'usual' })]) });
  const env = { IMGAPI_URL: usual.url };
  t.match((await runImgapiadm(['list', '-H', '-o', 'name'], { env })).stdout, /usual/);
  t.match((await runImgapiadm(['list', '-H', '-o', 'name', '-u', named.url], { env })).stdout, /named/);
});

test('the server and its data directory may be those of a configuration file', async (t) => {
  const server = await playBack(t, { 'POST /admin/reap': json({ dry_run: true }) });
  const dir = await dataFolder(t.testdir(), server.url);
  const config = join(dir, 'imgapi.json');
  const port = Number(new URL(server.url).port);
  writeFileSync(config, JSON.stringify({ mode: 'private', dataDir: dir, address: '0.0.0.0', port }));
  // What is named on the command line goes before the environment.
  const env = { IMGAPI_URL: 'http://127.0.0.1:1', IMGAPI_DATA_DIR: '/nowhere' };
  t.match(await runImgapiadm(['reap', '-n', '-f', config], { env }), { code: 0, stderr: '' });
  t.equal(server.asked[0]?.headers.authorization, 'Bearer s3cret');
});

test('where nothing names a server it is the one that is installed on the machine', async (t) => {
  const dir = t.testdir({ 'imgapi.json': JSON.stringify({ mode: 'private', dataDir: '/srv/images', port: 8765 }) });
  const installed = [join(dir, 'none.json'), join(dir, 'imgapi.json')];
  const open = (values: Partial<ConnectionValues>, env: Environment = {}, files = installed) =>
    new Connection(values as ConnectionValues, env, 'test', files);
  const nothing = open({});
  t.equal(await nothing.url(), 'http://127.0.0.1:8765');
  t.match(await nothing.serverConfig(), { config: { dataDir: '/srv/images' }, file: installed[1] });
  t.match(await nothing.localData(), { dataDir: '/srv/images', file: installed[1] });
  const named = open({}, { IMGAPI_URL: 'http://127.0.0.1:1', IMGAPI_DATA_DIR: '/nowhere' });
  t.equal(await named.url(), 'http://127.0.0.1:1');
  const folder = await open({ 'data-dir': '/drill' }).localData();
  t.strictSame(folder, { dataDir: '/drill' }, 'its configuration is not that of the one installed');
  const none = open({}, {}, installed.slice(0, 1));
  t.equal(await none.url(), 'http://127.0.0.1:8080');
});

test('a configuration that does not hold is told with its problems', async (t) => {
  const dir = t.testdir({ 'imgapi.json': '{"port": "x", "mode": "y"}' });
  const { code, stderr } = await runImgapiadm(['list', '-f', join(dir, 'imgapi.json')]);
  t.equal(code, 1);
  t.match(stderr, /^imgapiadm: error \(Config\): .*imgapi\.json: .*\n {4}.*imgapi\.json: /);
});

test('an account goes along, and without one the operator asks', async (t) => {
  const server = await playBack(t, { 'GET /images': json([]) });
  await runImgapiadm(['list', '-u', server.url]);
  await runImgapiadm(['list', '-u', server.url, '-a', ALICE]);
  t.notMatch(server.asked[0]?.path, /account/);
  t.match(server.asked[1]?.path, new RegExp(`account=${ALICE}`));
  t.match(server.asked[0]?.headers, { 'accept-version': '~3', 'user-agent': /^imgapiadm\/\d/ });
  t.equal(server.asked[0]?.headers.authorization, undefined, 'the secret is for administration alone');
});

test('what is no URL or account is refused before anything is asked', async (t) => {
  t.match(await runImgapiadm(['list', '-u', 'localhost:8080']), { code: 2, stderr: /option -u .*http or https URL/ });
  t.match(await runImgapiadm(['list'], { env: { IMGAPI_URL: 'nowhere' } }), {
    code: 2,
    stderr: /IMGAPI_URL is "nowhere"/,
  });
  t.match(await runImgapiadm(['list', '--account', 'a/b']), {
    code: 2,
    stderr: /--account is "a\/b"; it must be the UUID or login of an account/,
  });
});

test("the operator's secret is read from the data directory", async (t) => {
  const server = await playBack(t, { 'POST /admin/reap': json({ dry_run: true }) });
  const dir = await dataFolder(t.testdir(), server.url);
  await runImgapiadm(['reap', '-n', '-u', server.url, '--data-dir', dir]);
  await runImgapiadm(['reap', '-n'], { env: { IMGAPI_URL: server.url, IMGAPI_DATA_DIR: dir } });
  t.strictSame(
    server.asked.map(({ headers }) => headers.authorization),
    ['Bearer s3cret', 'Bearer s3cret'],
  );
});

const SECRETS: readonly [string, (dir: string) => Promise<string>, RegExp][] = [
  ['is not there', async (dir) => dir, /operator\.token: there is no such file\n {4}name .*--data-dir/],
  ['is empty', (dir) => dataFolder(dir, undefined, '\n'), /operator\.token: it holds no secret/],
  ['is no header', (dir) => dataFolder(dir, undefined, 'a\nb'), /operator\.token: it holds no secret/],
];

for (const [what, make, message] of SECRETS) {
  test(`a secret that ${what} is said to be missing, and nothing is asked`, async (t) => {
    const server = await playBack(t, {});
    const ran = await runImgapiadm(['reap', '-u', server.url, '--data-dir', await make(t.testdir())]);
    t.match(ran, { code: 1, stderr: /^imgapiadm: error \(OperatorSecretMissing\): / });
    t.match(ran.stderr, message);
    t.equal(server.asked.length, 0);
  });
}

test("the operator's secret is sent to the server of its data directory and to no other", async (t) => {
  const script = { 'GET /images': json([]), 'POST /admin/reap': json({ dry_run: true }) };
  const [own, other] = [await playBack(t, script), await playBack(t, script)];
  const dir = await dataFolder(t.testdir(), own.url);
  const { port } = new URL(other.url);
  const elsewhere = [
    other.url,
    `http://localhost:${port}`,
    other.url.replace('//', '//op:pw@'),
    // The right port, but not of this machine: a name that only begins like a loopback address.
    `http://127.0.0.1.nip.invalid:${new URL(own.url).port}`,
  ];
  for (const url of elsewhere) {
    await runImgapiadm(['list', '-u', url, '--data-dir', dir]);
    const ran = await runImgapiadm(['reap', '-n', '-u', url, '--data-dir', dir]);
    t.match(ran, {
      code: 1,
      stderr: /error \(OperatorSecretElsewhere\): .* which listens at http:\/\/127\.0\.0\.1:\d+\n/,
    });
  }
  t.notOk(other.asked.some(({ headers }) => `${headers.authorization}`.startsWith('Bearer')));
  t.notOk(
    other.asked.some(({ path }) => path.startsWith('/admin')),
    'nothing was asked without it either',
  );
  await runImgapiadm(['list', '-u', own.url, '--data-dir', dir]);
  await runImgapiadm(['reap', '-n', '-u', own.url, '--data-dir', dir]);
  t.strictSame(
    own.asked.map(({ headers }) => headers.authorization),
    ['Bearer s3cret', 'Bearer s3cret'],
  );
});

test('a note of a server that is gone opens the secret to nobody', async (t) => {
  const server = await playBack(t, { 'POST /admin/reap': json({ dry_run: true }) });
  const dir = await dataFolder(t.testdir(), server.url);
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const run = join(dir, 'run');
  const [note = ''] = readdirSync(run);
  renameSync(join(run, note), join(run, note.replace(`.${process.pid}.`, `.${gone}.`)));
  const ran = await runImgapiadm(['reap', '-n', '-u', server.url, '--data-dir', dir]);
  t.match(ran, { code: 3, stderr: /error \(ServerDoesNotRun\): the server of \S+ is not running on this machine\n/ });
  t.equal(server.asked.length, 0);
});

test("the server's message and its fields are told, a line each", async (t) => {
  const errors = [
    { field: 'limit', code: 'Invalid', message: 'limit is "x"' },
    { field: 'os', code: 'Missing' },
  ];
  const server = await playBack(t, {
    'GET /images': json({ code: 'InvalidParameter', message: 'not right', errors }, 422),
  });
  t.strictSame(await runImgapiadm(['list', '-u', server.url]), {
    code: 1,
    stdout: '',
    stderr: 'imgapiadm: error (InvalidParameter): not right\n    limit: Invalid: limit is "x"\n    os: Missing\n',
  });
});

test('what a message says is not said again, and what is missing by the option that has it', async (t) => {
  const message = 'name the account that owns the image';
  const errors = [{ field: 'account', code: 'MissingParameter', message }];
  const server = await playBack(t, { 'GET /images': json({ code: 'ValidationFailed', message, errors }, 422) });
  t.strictSame(await runImgapiadm(['list', '-u', server.url]), {
    code: 1,
    stdout: '',
    stderr: `imgapiadm: error (ValidationFailed): ${message}\n    name it with --account\n`,
  });
});

test('what a server says is missing, or in the way, is told with what the commands call it', async (t) => {
  const server = await startInProcess(t);
  const client = server.client();
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 10 });
  const run = (...words: readonly string[]) => runImgapiadm([...words, '-u', server.url]);
  t.match(await run('copy', 'nodc', image.uuid), {
    code: 1,
    stderr: 'imgapiadm: error (ValidationFailed): name the account that owns the image\n    name it with --account\n',
  });
  await run('protect', image.uuid);
  t.match(await run('delete', image.uuid), {
    code: 1,
    stderr: /\(ImageProtected\).*\n {4}imgapiadm unprotect does that\n$/,
  });
});

test('what is not there has an exit status of its own', async (t) => {
  const server = await playBack(t, {
    [`GET /images/${UUID}`]: json({ code: 'ResourceNotFound', message: 'image not found' }, 404),
  });
  t.match(await runImgapiadm(['get', UUID, '-u', server.url]), {
    code: 4,
    stderr: 'imgapiadm: error (ResourceNotFound): image not found\n',
  });
});

test("a fault of the server's is told with the request to look for in its log", async (t) => {
  const server = await playBack(t, {
    'GET /images': (response) => {
      response.writeHead(500, { 'x-request-id': 'req-7' });
      response.end('{"code":"InternalError","message":"oops"}');
    },
  });
  const ran = await runImgapiadm(['list', '-u', server.url]);
  t.strictSame([ran.code, ran.stderr], [1, 'imgapiadm: error (InternalError): oops\n    request req-7\n']);
});

test('whom the server does not know is told how operators are known', async (t) => {
  const server = await playBack(t, { 'GET /images': json({ code: 'UnauthorizedError', message: 'not signed' }, 401) });
  t.match(await runImgapiadm(['list', '-u', server.url]), {
    code: 1,
    stderr:
      /^imgapiadm: error \(UnauthorizedError\): not signed\n {4}operators are known .*--config.*--data-dir.*--token-file/,
  });
});

test('a server that cannot be reached has an exit status of its own', async (t) => {
  const server = await playBack(t, {});
  await server.stop();
  const { code, stderr } = await runImgapiadm(['list', '-u', server.url]);
  t.equal(code, 3);
  t.match(
    stderr,
    /^imgapiadm: error \(Unreachable\): .*cannot be reached.*\n {4}name the server with --url or IMGAPI_URL\n$/,
  );
});

test('a bearer token is sent in place of the secret, from a file that is read again or from the environment', async (t) => {
  const answers = { 'GET /images': json([]), 'POST /admin/reap': json({ dry_run: true }) };
  const server = await playBack(t, answers);
  const file = join(await dataFolder(t.testdir(), server.url), 'token');
  writeFileSync(file, 'a.b.c\n');
  const url = ['-u', server.url];
  t.equal((await runImgapiadm(['list', ...url, '--token-file', file], { env: { IMGAPI_TOKEN: 'x.y.z' } })).code, 0);
  t.equal((await runImgapiadm(['reap', '-n', ...url], { env: { IMGAPI_TOKEN: 'd.e.f' } })).code, 0);
  t.same(
    server.asked.map(({ headers }) => headers.authorization),
    ['Bearer a.b.c', 'Bearer d.e.f'],
  );
  writeFileSync(file, 'two words');
  t.match(await runImgapiadm(['list', ...url, '--token-file', file]), { code: 1, stderr: /token holds no token/ });
  const away = await runImgapiadm(['list', '-u', 'http://imgapi.example.com', '--token-file', file]);
  t.match(away, { code: 1, stderr: /is not sent to http:\/\/imgapi\.example\.com/ });
});
