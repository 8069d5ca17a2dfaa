/** A process that may have few files open, and what clients do to it. */
import { test } from 'tap';
import { freePort } from '../../helpers/free-port.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { type Conversation, converse, said, statuses } from '../../helpers/raw-socket.ts';
import { waitFor } from '../../helpers/wait.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const last = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

test('a flood of half requests on one listener of a process with few files leaves the others as they were', async (t) => {
  const metricsPort = await freePort();
  const log: string[] = [];
  const server = await spawnImgapi(
    t,
    { logLevel: 'warn', links: { port: 0 }, metrics: { port: metricsPort } },
    { descriptors: 200, onLog: (text) => log.push(text) },
  );
  const metrics = `http://127.0.0.1:${metricsPort}`;
  const floods = [
    [server.linksUrl ?? '', 'POST /link/pair HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
    [metrics, 'GET /metrics HTT'],
  ] as const;
  const open: Conversation[] = [];
  t.teardown(() => open.forEach(({ socket }) => void socket.destroy()));
  for (const [url, text] of floods) {
    for (let i = 0; i < 250; i += 1) open.push(await converse(url, text));
  }
  for (let i = 0; i < 20; i += 1) t.same(statuses(await said(server.url, last('/ping'))), [200]);
  t.match(log.join(''), /too many/);
  t.notMatch(log.join(''), /"level":(50|60)/);
  t.equal(server.process.exitCode, null);
});

test('a process that has had no descriptors left goes on', async (t) => {
  const log: string[] = [];
  // So few that they are gone before the listener is full.
  const server = await spawnImgapi(t, { logLevel: 'warn' }, { descriptors: 40, onLog: (text) => log.push(text) });
  const open: Conversation[] = [];
  t.teardown(() => open.forEach(({ socket }) => void socket.destroy()));
  for (let i = 0; i < 100; i += 1) open.push(await converse(server.url, get('/later')));
  for (const { socket } of open) socket.destroy();
  await waitFor('to be served', async () => statuses(await said(server.url, last('/ping')))[0] === 200);
  t.notMatch(log.join(''), /uncaught/i);
  t.equal(await server.stop(), 0);
});

/** As curl --http2 asks. */
const UPGRADE = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];

test('as many requests for another protocol as the process may have files end nothing', async (t) => {
  const metricsPort = await freePort();
  const keys = { links: { port: 0 }, metrics: { port: metricsPort } };
  const server = await spawnImgapi(t, keys, { descriptors: 256 });
  const urls = [server.url, server.linksUrl ?? '', `http://127.0.0.1:${metricsPort}`];
  const open = [];
  for (const url of urls) {
    for (let i = 0; i < 300; i += 1) {
      open.push(await converse(url, `${['GET /ping HTTP/1.1', 'Host: x', ...UPGRADE].join('\r\n')}\r\n\r\n`));
      open.push(await converse(url, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'));
    }
  }
  const ping = 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  for (const { socket } of open) socket.destroy();
  t.same(statuses(await said(server.url, ping)), [200]);
  t.equal(await server.stop(), 0, 'it stops when it is told to');
});
