/** Images of files, by the real command at real servers. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ALICE } from '../../../helpers/accounts.ts';
import { keyOf, makePeople, spawnCloudapi } from '../../../helpers/cloudapi.ts';
import { sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { CapturedSink } from '../capture.ts';
import { makeUser, runTritonImage } from './home.ts';

const MiB = 1024 ** 2;
const SIZE = 9 * MiB;
const FIELDS = ['name=mine', 'version=1.0.0', 'type=zone-dataset', 'os=smartos'];

const people = makePeople();
const server = await startInProcess(t);
const common = { people: Object.values(people), imgapi: server.url };
const { url } = await spawnCloudapi(t, { ...common, keys: { uploads: true } });
const alice = await makeUser(t, 'alice', keyOf(people.alice));
const bob = await makeUser(t, 'bob', keyOf(people.bob));
const operator = server.client();
const run = (args: readonly string[], at = url, user = alice) => runTritonImage(args, { env: user.env(at) });

const bytes = randomBytes(SIZE);
const file = join(t.testdir(), 'root.img');
writeFileSync(file, bytes);

/** Passes so many bytes of a client on, and then no more. */
async function narrow(t: Test, most: number) {
  const full = Promise.withResolvers<void>();
  const relay = createServer((client) => {
    const target = connect(Number(new URL(url).port), '127.0.0.1');
    let passed = 0;
    client.on('data', (chunk: Buffer) => {
      if (passed >= most) return;
      passed += chunk.length;
      target.write(chunk);
      if (passed >= most) full.resolve();
    });
    target.pipe(client);
    client.on('error', () => undefined);
    client.on('close', () => target.destroy());
    target.on('error', () => client.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => relay.close());
  const { port } = relay.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, full: full.promise };
}

t.test('a file becomes an image of the account', async (t) => {
  const stderr = new CapturedSink(true);
  const ran = await runTritonImage(['create', ...FIELDS, '-f', file], { env: alice.env(url), stderr });
  t.match(ran, { code: 0, stdout: /^Image [0-9a-f]{8} mine@1\.0\.0 is created of 9\.0 MiB of .*, and active\.\n$/ });
  t.match(ran.stderr, /uploading {2}100%.*stored/s);
  const [image] = await operator.listImages({ name: 'mine' });
  t.match(image, { owner: ALICE, public: false, state: 'active', files: [{ sha1: sha1Of(bytes), size: SIZE }] });
});

t.test('step by step', async (t) => {
  const made = await run(['create', ...FIELDS, 'name=steps', '-j']);
  const { id } = JSON.parse(made.stdout);
  t.match(await run(['upload', 'steps', file]), { code: 0, stdout: /^Image \S+ steps@1\.0\.0 has 9\.0 MiB of / });
  t.match(await run(['get', 'steps']), { code: 4 }, 'it cannot be used yet');
  t.match(await run(['upload', 'steps', file], url, bob), { code: 4 });
  t.match(await run(['upload', id, file], url, bob), { code: 4, stderr: /ResourceNotFound/ });
  t.match(await run(['activate', 'steps']), { code: 0, stdout: /steps@1\.0\.0 is active\.\n$/ });
  t.match(await run(['upload', 'steps', file]), { code: 0 }, 'what is there already is not sent again');
  t.match(await run(['rm', 'steps']), { code: 0 });
  t.match(await run(['create', ...FIELDS, 'public=true']), { code: 1, stderr: /public is true/ });
});

t.test('one image is made, whatever is lost on the way', async (t) => {
  const proxy = await startTcpProxy(() => Number(new URL(url).port));
  t.teardown(() => proxy.close());
  for (const lost of [{}, { answer: '201 Created' }]) {
    proxy.trouble = { kind: 'lose', request: 'action=create-from-file', ...lost };
    const name = `lost-${Object.keys(lost).length}`;
    const ran = await run(['create', ...FIELDS, `name=${name}`, '-f', file], proxy.url);
    t.match(ran, { code: 0, stdout: /and active/, stderr: /^The server is away .*; going on when it is back/ });
    t.equal((await operator.listImages({ name, state: 'all' })).length, 1);
  }
});

t.test('the command is killed in the middle, and upload goes on there', async (t) => {
  const relay = await narrow(t, 5 * MiB);
  const args = ['src/cli/triton-image/main.ts', 'create', ...FIELDS, 'name=killed', '-f', file];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...alice.env(relay.url) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close');
  await relay.full;
  child.kill('SIGKILL');
  await ended;
  const [, id = ''] = /^Image (\S+) is created; its file follows\.\n$/.exec(said) ?? [];
  t.match(await operator.getImage(id), { owner: ALICE, state: 'unactivated', files: [] }, said);

  const parameters = { compression: 'none', size: SIZE, sha1: sha1Of(bytes) } as const;
  const kept = await waitFor('what came to be kept', async () => {
    const { offset } = await server.client({ account: ALICE }).beginImageUpload(id, parameters);
    return offset > 4 * MiB ? offset : undefined;
  });
  t.ok(kept < SIZE);
  t.match(await run(['upload', 'killed', file, '--activate']), {
    ...{ code: 0, stdout: /killed@1\.0\.0 has 9\.0 MiB of .* and is active\.\n$/ },
    stderr: /^Going on with an earlier upload, at \d\.\d of 9\.0 MiB\.\n$/,
  });
  t.match(await operator.getImage(id), { state: 'active', files: [{ sha1: sha1Of(bytes), size: SIZE }] });
  const again = { code: 0, stderr: '', stdout: /killed@1\.0\.0 has 9\.0 MiB of .* and is active\.\n$/ };
  t.match(await run(['upload', 'killed', file, '--activate']), again, 'also when all of it is done');
});

t.test('a CloudAPI that takes no files is said to be one', async (t) => {
  const { url: closed } = await spawnCloudapi(t, common);
  t.match(await run(['create', ...FIELDS, '-f', file], closed), {
    ...{ code: 1, stderr: /\(UploadsOff\): this CloudAPI takes no files\n.*"uploads"/ },
  });
  const { uuid } = await server.client({ account: ALICE }).createImage({
    ...{ name: 'closed', version: '1', type: 'zone-dataset', os: 'smartos' },
  });
  t.match(await run(['upload', uuid, file], closed), { code: 1, stderr: /UploadsOff/ });
  t.match(await run(['activate', uuid], closed), { code: 1, stderr: /UploadsOff/ });
});
