/** Which URLs lead to the servers of a data folder. */
import { once } from 'node:events';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { isReachedBy, listeningUrls, noteListening, runningServers } from '#src/service/config/listening.ts';

const cases: readonly [string, string, boolean][] = [
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', true],
  ['http://127.0.0.1:8080', 'http://localhost:8080', true],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8081', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.2:8080', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.1.nip.invalid:8080', false],
  ['http://127.0.0.1:8080', 'http://192.0.2.77:8080', false],
  ['http://[::1]:8080', 'http://localhost:8080', true],
  ['http://0.0.0.0:80', 'http://127.0.0.1', true],
  ['http://0.0.0.0:80', 'http://203.0.113.77', false],
  ['http://[::]:80', 'http://[::1]', true],
  ['http://203.0.113.77:80', 'http://203.0.113.77', true],
  ['http://203.0.113.77:80', 'http://127.0.0.1', false],
];

for (const [server, url, isReached] of cases) {
  test(`${url} ${isReached ? 'leads' : 'does not lead'} to what listens at ${server}`, async (t) => {
    t.equal(isReachedBy([server], url), isReached);
  });
}

test('without a server nothing leads there', async (t) => {
  t.equal(isReachedBy([], 'http://127.0.0.1:8080'), false);
});

test('a server is known to run by its process, and one of another boot or container by what listens there', async (t) => {
  const dataDir = t.testdir();
  const forget = await noteListening(dataDir, 'http://127.0.0.1:9');
  t.same(await runningServers(dataDir), ['http://127.0.0.1:9'], 'also while it does not listen any more');
  await forget();
  t.same(await runningServers(dataDir), []);

  const listener = createServer();
  t.teardown(() => listener.close());
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  for (const owner of [`${process.pid}`, `${process.pid}.77.${'a'.repeat(16)}`]) {
    await writeFile(join(dataDir, 'run', `9.${owner}.127.0.0.1`), '');
    t.same(await listeningUrls(dataDir), ['http://127.0.0.1:9'], 'it may be one that this process does not reach');
    t.same(await runningServers(dataDir), [], `nobody listens: ${owner}`);
    await writeFile(join(dataDir, 'run', `${port}.${owner}.0.0.0.0`), '');
    t.same(await runningServers(dataDir), [`http://0.0.0.0:${port}`], owner);
    for (const name of await readdir(join(dataDir, 'run'))) await rm(join(dataDir, 'run', name));
  }
});

test('who got the process id of a server that has died is not taken for it', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const dataDir = t.testdir();
  await noteListening(dataDir, 'http://127.0.0.1:9');
  const [name = ''] = await readdir(join(dataDir, 'run'));
  const [, pid, start, ...more] = name.split('.');
  await rename(join(dataDir, 'run', name), join(dataDir, 'run', ['9', pid, Number(start) - 1, ...more].join('.')));
  t.same(await listeningUrls(dataDir), []);
  t.same(await runningServers(dataDir), []);
});
