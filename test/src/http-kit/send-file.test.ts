/** Files whose bytes the system sends: nobody should notice, except by how many are read. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rename, truncate, writeFile } from 'node:fs/promises';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ByteSource, ObjectStore } from '#lib/objects/object-store.ts';
import type { AnyCall, Done } from '#src/http-kit/listener-options.ts';
import { type LoggedListener, startListener } from '../../helpers/listener.ts';
import { openFiles } from '../../helpers/open-files.ts';
import { converse, said, statuses } from '../../helpers/raw-socket.ts';
import { waitFor } from '../../helpers/wait.ts';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;
const ON_LINUX = { skip: process.platform === 'linux' ? false : 'the system is asked on Linux only' };

interface Served extends LoggedListener {
  readonly root: string;
  readonly bytes: Buffer;
  readonly streams: ByteSource[];
  /** Of each connection whose answer is out, those that node wrote. */
  readonly written: number[];
}

/** A server that sends an object, or the range that `?START-END` names. */
async function served(t: Test, size = SIZE): Promise<Served> {
  const root = t.testdir();
  const storage = await openLocalStore({ root });
  t.teardown(() => storage.close());
  const bytes = randomBytes(size);
  await store(storage, bytes);
  const streams: ByteSource[] = [];
  const written: number[] = [];
  const routes = {
    'GET /file': async (call: AnyCall) => {
      const [, start, end] = /\?(\d+)-(\d+)$/.exec(call.url) ?? [];
      const range = start === undefined ? {} : { start: Number(start), end: Number(end) };
      const { stream } = await storage.read('a/file', { ...range, signal: call.signal });
      streams.push(stream);
      const length = start === undefined ? size : Number(end) - Number(start) + 1;
      return { stream, headers: { 'Content-Length': String(length) } };
    },
    'GET /next': async () => ({ json: 'next' }),
  };
  const onDone = ({ request }: Done): void => void written.push(request.socket.bytesWritten);
  const listener = await startListener(t, routes, { onDone });
  return { ...listener, root, bytes, streams, written };
}

async function store(storage: ObjectStore, bytes: Buffer): Promise<void> {
  const session = await storage.open({ path: 'a/file', session: 's' });
  await session.append(
    (async function* () {
      yield bytes;
    })(),
  );
  await session.commit();
}

async function got(url: string): Promise<Buffer> {
  const answer = await begun(get(url));
  return Buffer.concat(await answer.toArray());
}

async function begun(request: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

/** A hash tells less than a megabyte of differences. */
function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function descriptors(): Promise<number> {
  return readdir('/proc/self/fd').then(({ length }) => length);
}

test('a whole file comes as it is stored, and hardly any of it is read', ON_LINUX, async (t) => {
  const { url, bytes, streams, written } = await served(t);
  t.equal(hashOf(await got(`${url}/file`)), hashOf(bytes));
  const [byNode = SIZE] = await waitFor('the answer is out', () => (written.length > 0 ? written : undefined));
  t.ok(byNode < SIZE / 2, `node wrote ${byNode} of ${SIZE} bytes`);
  await waitFor('the file is closed', () => streams[0]?.closed);
});

test('a range comes as it is stored, from any place of the file', ON_LINUX, async (t) => {
  const { url, bytes } = await served(t);
  for (const [start, end] of [
    [1, 5 * MIB],
    [SIZE - 3 * MIB - 7, SIZE - 1],
    [4 * MIB, 4 * MIB + 256 * 1024 - 1],
    [7, 256 * 1024 + 5],
    [9, 9],
  ] as const) {
    t.equal(
      hashOf(await got(`${url}/file?${start}-${end}`)),
      hashOf(bytes.subarray(start, end + 1)),
      `${start}-${end}`,
    );
  }
});

test('on one connection, each of several files is followed by the next answer', ON_LINUX, async (t) => {
  const { url, bytes } = await served(t, 6 * MIB);
  const ask = (path: string, last = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${last}\r\n`;
  const text = await said(url, ask('/file') + ask('/next') + ask('/file') + ask('/next', 'Connection: close\r\n'));
  t.same(statuses(text), [200, 200, 200, 200]);
  const file = bytes.toString('latin1');
  const at = text.indexOf(file);
  t.ok(at > 0 && text.indexOf(file, at + file.length) > at, 'both are whole');
  t.match(text.slice(-60), /"next"/);
});

test('a reader that is slower than the system gets everything', ON_LINUX, async (t) => {
  const { url, bytes } = await served(t);
  const answer = await begun(get(`${url}/file`));
  const hash = createHash('sha256');
  for await (const part of answer) {
    hash.update(part as Buffer);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(hash.digest('hex'), hashOf(bytes));
});

test('a client that leaves in the middle leaves no descriptor behind', ON_LINUX, async (t) => {
  const { url, root, streams } = await served(t);
  await got(`${url}/file`);
  await waitFor('the first is over', () => streams[0]?.closed);
  const before = await descriptors();
  for (let client = 0; client < 8; client += 1) {
    const { socket, bytes } = await converse(url, 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('some bytes', () => bytes() > 100_000);
    socket.destroy();
  }
  await waitFor('the files are closed', async () => (await openFiles(root)).length === 0);
  await waitFor('the connections are closed', async () => (await descriptors()) <= before);
  t.equal(JSON.parse((await got(`${url}/next`)).toString()), 'next');
});

test('who ends a download cuts its connection, though the client reads nothing', ON_LINUX, async (t) => {
  const { url, streams, root } = await served(t);
  const answer = await begun(get(`${url}/file`));
  answer.pause();
  await waitFor('the stream', () => streams[0]);
  streams[0]?.destroy(new Error('the link has ended'));
  await t.rejects(answer.toArray(), { code: 'ECONNRESET' });
  await waitFor('the file is closed', async () => (await openFiles(root)).length === 0);
});

test('a file that became shorter cuts the connection: part of it is never the whole', ON_LINUX, async (t) => {
  const { url, root } = await served(t);
  const answer = await begun(get(`${url}/file`));
  answer.pause();
  await truncate(join(root, 'a/file'), MIB);
  await t.rejects(answer.toArray(), { code: 'ECONNRESET' });
  t.equal(JSON.parse((await got(`${url}/next`)).toString()), 'next');
});

test('of a connection that is gone nobody else gets the bytes', ON_LINUX, async (t) => {
  const { url, bytes } = await served(t);
  const others = Array.from({ length: 40 }, async (_, index) => {
    if (index % 2 === 0) return got(`${url}/next`);
    const { socket, bytes: count } = await converse(url, 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('some bytes', () => count() > 0);
    socket.destroy();
    return got(`${url}/file?0-${MIB}`);
  });
  const answers = await Promise.all(others);
  const [text, part] = [hashOf(answers[0] as Buffer), hashOf(bytes.subarray(0, MIB + 1))];
  t.same(new Set(answers.map(hashOf)), new Set([text, part]));
  t.equal(answers[0]?.toString(), '"next"');
});

test('a file that is replaced meanwhile is sent as it was opened', ON_LINUX, async (t) => {
  const { url, root, bytes } = await served(t);
  const answer = await begun(get(`${url}/file`));
  await writeFile(join(root, 'other'), 'x');
  await rename(join(root, 'other'), join(root, 'a/file'));
  t.equal(hashOf(Buffer.concat(await answer.toArray())), hashOf(bytes));
});
