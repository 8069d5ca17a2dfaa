/** The processes: what they do when their log cannot be written, after a fault, and when something stays open. */
import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { bounded } from '../../helpers/cloud.ts';
import { freePort } from '../../helpers/free-port.ts';
import { configKeys, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Throws where nobody catches, at a signal; a second one rejects. */
const FAULTS = `data:text/javascript,process.on('SIGUSR2', () => { throw new Error('nobody catches this'); });
process.on('SIGWINCH', () => { Promise.reject(new Error('nobody waits for this')); });`;

interface Started {
  readonly process: ChildProcess;
  readonly url: string;
  /** Code and signal. */
  readonly exit: Promise<unknown[]>;
}

interface Server {
  readonly name: string;
  readonly main: string;
  /** Answered without anybody's signature. */
  readonly path: string;
  readonly config: (folder: string) => Promise<object>;
}

const SERVERS: readonly Server[] = [
  { name: 'IMGAPI', main: 'src/main.ts', path: '/images', config: async (folder) => configKeys(folder) },
  {
    name: 'CloudAPI',
    main: 'src/cloudapi/main.ts',
    path: '/--ping',
    config: async (folder) => ({
      port: 0,
      datacenterName: 'a',
      imgapi: { url: 'http://127.0.0.1:9' },
      accounts: { file: join(folder, 'accounts.json') },
    }),
  },
];

async function start(t: Test, server: Server, stderr: 'pipe' | 'ignore' | number, keys: object = {}): Promise<Started> {
  const folder = await temporaryFolder(t, 'process-test');
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ ...(await server.config(folder)), logLevel: 'info', ...keys }));
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--import', FAULTS, server.main, '-f', file];
  const stdio: StdioOptions = ['ignore', 'pipe', stderr];
  const child = spawn('/usr/bin/env', command, { cwd: ROOT, stdio });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  if (!child.stdout) throw new Error('no standard output');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([first]) => String(first)),
    exit.then(() => '(exited)'),
  ]);
  const url = /listens on (http:\S+?),/.exec(line)?.[1];
  if (url === undefined) throw new Error(`${server.name} did not start: ${line}`);
  return { process: child, url, exit };
}

for (const server of SERVERS) {
  t.test(`${server.name} that has a SIGHUP before it has read its configuration starts all the same`, async (t) => {
    const folder = await temporaryFolder(t, 'process-test');
    const file = join(folder, 'config.json');
    await promisify(execFile)('mkfifo', [file]);
    const command = ['-u', 'NODE_OPTIONS', process.execPath, server.main, '-f', file];
    const child = spawn('/usr/bin/env', command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = once(child, 'exit');
    t.teardown(async () => {
      child.kill('SIGKILL');
      await exit;
    });
    let said = '';
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (text: Buffer) => {
        said += text;
      });
    }
    // It opens when there is a reader.
    const write = async (signal?: NodeJS.Signals) => {
      const config = await open(file, 'w');
      if (signal) child.kill(signal);
      await config.writeFile(JSON.stringify({ ...(await server.config(folder)), logLevel: 'info' }));
      await config.close();
    };
    await write('SIGHUP');
    await waitFor('it to listen', () => said.includes('listens on') || child.signalCode !== null);
    await write();
    await waitFor('it to do what the signal asked for', () => said.includes('the configuration has not changed'));
    child.kill('SIGTERM');
    t.strictSame(await exit, [0, null]);
  });
}

async function status(url: string): Promise<number> {
  const { statusCode, body } = await request(url, { headersTimeout: 20_000 });
  await body.dump();
  return statusCode;
}

t.test('a scrape that hangs does not keep IMGAPI from ending', async (t) => {
  const [imgapi] = SERVERS;
  if (!imgapi) return;
  const metrics = { address: '127.0.0.1', port: await freePort() };
  const { process: child, exit } = await start(t, imgapi, 'ignore', { metrics, shutdown: { seconds: 1 } });
  await hang(t, `http://127.0.0.1:${metrics.port}`, 'GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  await hang(t, `http://127.0.0.1:${metrics.port}`, '');
  child.kill('SIGTERM');
  t.match(await exit, [/^[01]$/, null]);
});

/** A connection whose request never ends. */
async function hang(
  t: Test,
  url: string,
  text = 'PUT /images HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

for (const server of SERVERS) {
  t.test(`${server.name}, whose log reader goes away, serves on and ends when it is told to`, async (t) => {
    const { process: child, url, exit } = await start(t, server, 'pipe');
    child.stderr?.destroy();
    for (let turn = 0; turn < 20; turn += 1) t.ok((await status(`${url}/nowhere`)) < 500);
    t.ok((await status(`${url}${server.path}`)) < 500);
    child.kill('SIGTERM');
    t.strictSame(await exit, [0, null]);
  });

  t.test(`${server.name} whose log reader does not read serves on`, async (t) => {
    const { process: child, url, exit } = await start(t, server, 'pipe', { logLevel: 'trace' });
    child.stderr?.pause();
    for (let turn = 0; turn < 400; turn += 1) await status(`${url}/${'x'.repeat(1000)}`);
    t.ok((await status(`${url}${server.path}`)) < 500);
    child.kill('SIGTERM');
    t.strictSame(await exit, [0, null]);
  });

  t.test(`${server.name} whose log is on a full disk serves on and ends when it is told to`, async (t) => {
    const full = openSync('/dev/full', 'w');
    const { process: child, url, exit } = await start(t, server, full);
    closeSync(full);
    for (let turn = 0; turn < 20; turn += 1) t.ok((await status(`${url}/nowhere`)) < 500);
    child.kill('SIGTERM');
    t.strictSame(await exit, [0, null]);
  });

  for (const [what, signal, text] of [
    ['an exception', 'SIGUSR2', 'nobody catches this'],
    ['a rejection', 'SIGWINCH', 'nobody waits for this'],
  ] as const) {
    t.test(`${server.name} ends by itself, with status 1, after ${what} that nobody catches`, async (t) => {
      const { process: child, url, exit } = await start(t, server, 'pipe');
      let log = '';
      child.stderr?.on('data', (data: Buffer) => {
        log += data;
      });
      t.ok((await status(`${url}${server.path}`)) < 500);
      await hang(t, url);
      child.kill(signal);
      t.strictSame(await exit, [1, null]);
      await waitFor('the log to be read', () => log.includes(text));
      t.match(log, /the process ends/);
    });
  }

  t.test(`${server.name} ends by itself also when it cannot say why`, async (t) => {
    const { process: child, exit } = await start(t, server, 'pipe');
    child.stderr?.destroy();
    child.kill('SIGUSR2');
    t.strictSame(await exit, [1, null]);
  });

  t.test(`${server.name} is gone in time after a SIGTERM, whatever is open`, async (t) => {
    const { process: child, url, exit } = await start(t, server, 'ignore', { shutdown: { seconds: 1 } });
    const sockets = [await hang(t, url), await hang(t, url, ''), await hang(t, url, `GET ${server.path} HTTP/1.1\r\n`)];
    child.kill('SIGTERM');
    // Before what is open would be cut for being idle; 1 where a second was too short to release everything in order.
    t.match(await bounded(exit, `${server.name} to end`, 60_000), [/^[01]$/, null]);
    for (const socket of sockets) socket.destroy();
  });
}
