/** `--workers N`: what a supervisor does when workers die, hang, are replaced and are told to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'tap';
import { request } from 'undici';
import { listeningUrls } from '#src/service/config/listening.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bounded } from '../../../helpers/cloud.ts';
import { makePeople, spawnCloudapi } from '../../../helpers/cloudapi.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { spawnImgapi, startInProcess } from '../../../helpers/imgapi.ts';
import { startLoad } from '../../../helpers/load.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { slowUpload } from '../../images/files/slow-upload.ts';
import { haltNext, isAlive, startFleet } from './fleet.ts';

/** The value of a metric, summed up over its labels. */
async function metric(url: string, name: string): Promise<number> {
  const { body } = await request(url);
  const lines = (await body.text()).split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('Several workers share one port, and are known to the operator as one server', async (t) => {
  const server = await startFleet(t, 3);
  t.equal((await server.pids()).length, 3);
  t.strictSame(await listeningUrls(server.dataDir), [server.url]);
  const seen = new Set<number>();
  await waitFor('each worker to have answered', async () => {
    // A connection of its own for each.
    const { body } = await request(`${server.url}/ping`, { reset: true });
    seen.add(((await body.json()) as { pid: number }).pid);
    return seen.size === 3;
  });
  t.strictSame([...seen].toSorted(), (await server.pids()).toSorted());
  t.equal(await server.stop(), 0);
  t.strictSame(await server.pids(), []);
});

test('A worker that dies is replaced, and the log says so', async (t) => {
  const server = await startFleet(t, 2);
  const before = await server.pids();
  const [victim = 0] = before;
  process.kill(victim, 'SIGKILL');
  await server.others(before, 1);
  t.match(server.log(), new RegExp(`"signal":"SIGKILL","worker":${victim}`));
  t.equal(await metric(server.metricsUrl, 'server_workers'), 2);
  t.equal(await metric(server.metricsUrl, 'server_worker_losses_total'), 1);
  t.equal(await server.stop(), 0);
});

test('A worker whose event loop stands still is killed and replaced', async (t) => {
  const server = await startFleet(t, 2, { workerSilenceSeconds: 3 });
  const before = await server.pids();
  process.kill(before[0] ?? 0, 'SIGSTOP');
  await server.others(before, 1);
  t.match(server.log(), `"worker":${before[0]}`);
  t.match(server.log(), 'a worker hangs and is killed');
  t.equal(await server.stop(), 0);
});

test('Replacing all workers under load fails no request, and ends no upload and no download', async (t) => {
  const server = await startFleet(t, 2);
  const alice = server.client({ account: ALICE });
  const { image, bytes } = await makeImage(alice, {}, { size: 4 * 1024 * 1024 });
  const { uuid } = await alice.createImage(MANIFEST);
  const before = await server.pids();
  const load = startLoad(server.url, `/images/${image.uuid}`);
  const upload = slowUpload(`${server.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
    'content-length': '2000000',
  });
  await upload.write(Buffer.alloc(1_000_000));
  const download = await request(`${server.url}/images/${image.uuid}/file?account=${ALICE}`);
  for (let round = 1; round <= 2; round += 1) {
    const old = await server.pids();
    server.process.kill('SIGHUP');
    await waitFor('the roll to end', () => server.log().split('the workers are replaced').length === round + 1);
    t.strictSame(
      (await server.pids()).filter((pid) => old.includes(pid)),
      [],
      'all workers are new',
    );
  }
  const enough = load.good + 1000;
  await waitFor('more requests to be answered', () => load.good > enough);
  await load.end();
  t.strictSame(load.failures, []);
  t.ok(load.good > 2000, `${load.good} requests`);
  t.equal((await download.body.arrayBuffer()).byteLength, bytes.length);
  await upload.write(Buffer.alloc(1_000_000));
  t.equal((await upload.end()).status, 200, 'an upload ends in the process where it began');
  await waitFor('the old workers to end', () => before.every((pid) => !isAlive(pid)));
  t.equal(await server.stop(), 0);
});

test('A supervisor that is told to end lets requests finish, and ends its workers', async (t) => {
  const server = await startFleet(t, 2);
  const alice = server.client({ account: ALICE });
  const { image, bytes } = await makeImage(alice, {}, { size: 8 * 1024 * 1024 });
  const uploads = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const { uuid } = await alice.createImage(MANIFEST);
      const url = `${server.url}/images/${uuid}/file?account=${ALICE}&compression=none`;
      const upload = slowUpload(url, { 'content-length': '2000' });
      await upload.write(Buffer.alloc(1000));
      return upload;
    }),
  );
  const download = await request(`${server.url}/images/${image.uuid}/file?account=${ALICE}`);
  const stopped = server.stop();
  await waitFor('all to have heard of it', () => server.log().split('"msg":"stopping"').length > 3);
  for (const upload of uploads) {
    await upload.write(Buffer.alloc(1000));
    t.equal((await upload.end()).status, 200);
  }
  t.equal((await download.body.arrayBuffer()).byteLength, bytes.length);
  t.equal(await bounded(stopped, 'the end'), 0);
});

test('A configuration that is wrong replaces nothing, and one that names another number of workers counts', async (t) => {
  const server = await startFleet(t, 2, { workers: 2 }, []);
  const before = await server.pids();
  const good = await readFile(server.configFile, 'utf8');
  await writeFile(server.configFile, good.replace('"dc"', '"nonsense"'));
  server.process.kill('SIGHUP');
  await waitFor('the refusal', () => server.log().includes('the workers are not replaced'));
  t.match(server.log(), 'mode: ');
  t.strictSame((await server.pids()).toSorted(), before.toSorted());
  for (const count of [1, 3]) {
    const old = await server.pids();
    await writeFile(server.configFile, good.replace('"workers": 2', `"workers": ${count}`));
    server.process.kill('SIGHUP');
    await server.others(old, count);
    await waitFor('the others to end', async () => (await server.pids()).length === count);
  }
  t.equal(await server.stop(), 0);
});

test('The metrics are those of all workers, and keep what replaced ones had counted', async (t) => {
  const server = await startFleet(t, 2);
  for (let i = 0; i < 20; i += 1) await (await request(`${server.url}/ping`, { reset: true })).body.dump();
  const counted = () => metric(server.metricsUrl, 'http_requests_completed');
  t.equal(await counted(), 20);
  const before = await server.pids();
  server.process.kill('SIGHUP');
  await server.others(before, 2);
  await waitFor('the old workers to end', () => before.every((pid) => !isAlive(pid)));
  t.equal(await counted(), 20);
  await (await request(`${server.url}/ping`)).body.dump();
  t.equal(await counted(), 21);
  t.equal(await server.stop(), 0);
});

test('Workers whose supervisor is killed finish what they have begun, and end', async (t) => {
  const server = await startFleet(t, 2);
  const alice = server.client({ account: ALICE });
  const { uuid } = await alice.createImage(MANIFEST);
  const upload = slowUpload(`${server.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
    'content-length': '2000',
  });
  await upload.write(Buffer.alloc(1000));
  const before = await server.pids();
  await server.kill();
  await upload.write(Buffer.alloc(1000));
  t.equal((await upload.end()).status, 200);
  await waitFor('the workers to end', () => before.every((pid) => !isAlive(pid)));
});

test('A server that cannot start says why once, and its supervisor ends', async (t) => {
  const server = await startFleet(t, 2);
  const { port } = new URL(server.url);
  const error = await startFleet(t, 2, { port: Number(port) }).catch((cause: unknown) => cause);
  t.match(String(error), /did not start: \(exited\)/);
  t.equal((await request(`${server.url}/ping`)).statusCode, 200);
});

test('A supervisor that is told to replace its workers while the first one starts does so afterwards', async (t) => {
  let log = '';
  const said = (text: string) => waitFor(text, () => log.includes(text));
  const supervisor = Promise.withResolvers<ChildProcess>();
  const starting = spawnImgapi(
    t,
    { logLevel: 'info' },
    {
      args: ['--workers', '2'],
      onSpawn: supervisor.resolve,
      onLog: (text) => {
        log += text;
      },
    },
  );
  const child = await supervisor.promise;
  // So that it cannot be faster than another one.
  const first = await haltNext(child.pid);
  child.kill('SIGHUP');
  await said('the workers are replaced once the first one listens');
  process.kill(first, 'SIGCONT');
  const server = await starting;
  await said('"msg":"the workers are replaced"');
  t.notOk(isAlive(first), 'the first one was replaced too');
  t.equal(await server.stop(), 0);
});

test('A worker that is replaced before it listens ends', async (t) => {
  const server = await startFleet(t, 2);
  const before = await server.pids();
  process.kill(before[0] ?? 0, 'SIGKILL');
  const late = await haltNext(server.process.pid, before);
  server.process.kill('SIGHUP');
  await waitFor('the workers to be replaced', () => server.log().includes('"msg":"the workers are replaced"'));
  process.kill(late, 'SIGCONT');
  await waitFor('it to end', () => !isAlive(late));
  t.equal(await metric(server.metricsUrl, 'server_workers'), 2);
  t.equal(await server.stop(), 0);
});

test('A number of workers that is none is refused', async (t) => {
  for (const workers of ['0', 'two', '-1', '1.5', '257']) {
    const child = spawn(process.execPath, ['src/main.ts', `--workers=${workers}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    t.strictSame(await once(child, 'close'), [2, null], workers);
    t.match(said, `--workers ${workers} is not right; it must be a whole number from 1 to 256`);
  }
});

test('CloudAPI has workers as well, and replaces them without a failed request', async (t) => {
  const imgapi = await startInProcess(t);
  const people = makePeople();
  const keys = { workers: 2, logLevel: 'info' };
  const cloudapi = await spawnCloudapi(t, { people: Object.values(people), imgapi: imgapi.url, keys });
  t.match(cloudapi.line, /, 2 workers$/);
  const load = startLoad(cloudapi.url, '/--ping');
  for (let round = 0; round < 3; round += 1) {
    const enough = load.good + 500;
    await waitFor('requests to be answered', () => load.good > enough);
    cloudapi.process.kill('SIGHUP');
  }
  const enough = load.good + 5000;
  await waitFor('more requests to be answered', () => load.good > enough);
  await load.end();
  t.strictSame(load.failures, []);
  cloudapi.process.kill('SIGTERM');
  t.strictSame(await bounded(once(cloudapi.process, 'exit'), 'the end'), [0, null]);
});
