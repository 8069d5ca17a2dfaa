/** No wait for the other side is without end, and a limit on silence is not one on work or on slow progress. */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { startListener } from '../../helpers/listener.ts';
import { isServed } from '../../helpers/listeners.ts';
import { converse, jsonOf, said, statuses } from '../../helpers/raw-socket.ts';
import { startToys } from '../../helpers/toy-listeners.ts';
import { waitFor } from '../../helpers/wait.ts';

const IDLE_MS = 1000;
const ok = 'GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

test('on every listener, who is silent is told so or cut', async (t) => {
  const listeners = await startToys(t, { idleMs: IDLE_MS });
  for (const listener of listeners) {
    const { name, url, path } = listener;
    await t.test(`${name}: a connection without a request`, async (t) => t.equal(await said(url, ''), ''));

    await t.test(`${name}: half a request line, half a header, a header that drips`, async (t) => {
      const told = ['GE', `GET ${path}`, `GET ${path} HTTP/1.1\r\nHost: x\r\nX: `].map(async (text) => {
        const answer = await said(url, text);
        t.same(statuses(answer), [408], text);
        t.match(jsonOf(answer), { code: 'RequestTimeout' });
      });
      const { socket, ended } = await converse(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nX: `);
      const drip = setInterval(() => socket.write('x'), 20);
      t.teardown(() => clearInterval(drip));
      t.same(statuses(await ended()), [408]);
      await Promise.all(told);
    });

    await t.test(`${name}: who has had its answer and asks for no more is served again`, async (t) => {
      t.ok(await isServed(listener));
    });
  }

  const bodies: readonly (readonly [string, string])[] = [
    ['JSON', 'POST /json HTTP/1.1\r\nContent-Type: application/json'],
    ['bytes', 'POST /bytes HTTP/1.1'],
  ];
  for (const [name, head] of bodies) {
    await t.test(`${name}: a body that does not come, or stops coming`, async (t) => {
      const [{ url } = { url: '' }] = listeners;
      for (const body of ['Content-Length: 100\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n']) {
        const answer = await said(url, `${head}\r\nHost: x\r\n${body}`);
        t.same(statuses(answer), [408], body);
        t.match(jsonOf(answer), { code: 'RequestTimeout', message: /no byte of the body arrived for 1 s/ });
      }
    });
  }
});

test('a body that nobody asked for and that never comes is not waited for long', async (t) => {
  const { url } = await startListener(t, { 'GET /quick': async () => ({ json: 1 }) });
  const { ended } = await converse(url, 'DELETE /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx');
  t.same(statuses(await ended(30_000)), [405]);
});

test('bodies that come slowly, handlers at work and lines that are far between are not silence', async (t) => {
  const slowly = Promise.withResolvers<void>();
  async function* lines() {
    yield 1;
    await slowly.promise;
    yield 2;
  }
  const { url } = await startListener(
    t,
    {
      'POST /body': async (call) => ({ json: await call.json() }),
      'POST /work': async (call) => {
        // The rest of the body is not waited for.
        await slowly.promise;
        return { json: call.method };
      },
      'GET /lines': async () => ({ lines: lines() }),
    },
    { connections: { idleMs: 3000 } },
  );
  const body = await converse(url, 'POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 22\r\n\r\n');
  const work = await converse(url, 'POST /work HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n');
  const far = await converse(url, 'GET /lines HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  for (const character of '"aaaaaaaaaaaaaaaaaaaa"') {
    body.socket.write(character);
    await pause(200);
  }
  slowly.resolve();
  t.same(statuses(await body.ended()), [200]);
  t.same(statuses(await work.ended()), [200]);
  t.match(await far.ended(), /\r\n1\n\r\n[\s\S]*\r\n2\n\r\n/);
});

test('a small body that drips is refused in time, and one that is large has more of it', async (t) => {
  const wholeMs = 1500;
  const { url } = await startListener(
    t,
    {
      'POST /json': async (call) => ({ json: String(await call.json()).length }),
      'POST /bytes': async (call) => ({ json: (await call.bytes(1024 * 1024)).length }),
    },
    { limits: { json: 1024 * 1024, bodyMs: wholeMs } },
  );
  for (const [path, encoding] of [
    ['/json', 'identity'],
    ['/json', 'gzip'],
    ['/bytes', 'identity'],
  ]) {
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: ${encoding}\r\nContent-Length: 100000\r\n\r\n`;
    const { socket, ended } = await converse(url, head);
    const left = [...(encoding === 'gzip' ? gzipSync('"a"') : Buffer.from('                    '))];
    const drip = setInterval(() => socket.write(Buffer.from(left.splice(0, 1))), 300);
    t.teardown(() => clearInterval(drip));
    const answer = await ended();
    clearInterval(drip);
    t.same(statuses(answer), [408], `${path} ${encoding}`);
    t.match(jsonOf(answer), { code: 'RequestTimeout', message: /the body did not arrive within 2 s/ });
    t.match(answer, /Connection: close/);
  }
  const size = 200_000;
  const large = await converse(
    url,
    `POST /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size + 2}\r\n\r\n"${'a'.repeat(size)}`,
  );
  await pause(2 * wholeMs);
  large.socket.write('"');
  t.match(await large.ended(), /200 OK[\s\S]*\r\n200000/);
});

test('a request whose body does not come is noted once, under its route and the id of its answer', async (t) => {
  const done: { route: string; requestId: string; status: number }[] = [];
  const { url } = await startListener(
    t,
    { 'POST /reads': async (call) => ({ json: await call.json() }) },
    {
      connections: { idleMs: 200 },
      onDone: ({ route, requestId, response }) => done.push({ route, requestId, status: response.statusCode }),
    },
  );
  const text = await said(url, 'POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
  const [, id] = /\r\nx-request-id: (\S+)/.exec(text) ?? [];
  await waitFor('it to be noted', () => done.length > 0);
  await said(url, '');
  t.strictSame(done, [{ route: 'reads', requestId: id, status: 408 }]);
});

test('lines whose reader takes none any more end, and so does a watch whose client has left', async (t) => {
  const ended: string[] = [];
  async function* endless(name: string, size: number) {
    try {
      for (;;) {
        yield 'x'.repeat(size);
        await pause(1);
      }
    } finally {
      ended.push(name);
    }
  }
  const { url } = await startListener(
    t,
    {
      'GET /stalled': async () => ({ lines: endless('stalled', 100_000) }),
      'GET /left': async () => ({ lines: endless('left', 10) }),
    },
    { connections: { idleMs: 500 } },
  );
  const stalled = await converse(url, 'GET /stalled HTTP/1.1\r\nHost: x\r\n\r\n');
  stalled.socket.pause();
  await waitFor('the stalled lines to end', () => ended.includes('stalled'));
  const left = await converse(url, 'GET /left HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitFor('some lines', () => left.bytes() > 300);
  left.socket.destroy();
  await waitFor('the lines of who left to end', () => ended.includes('left'));
  stalled.socket.destroy();
});

test('lines that were sent are not kept until the last one', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sent: WeakRef<object>[] = [];
  const rest = Promise.withResolvers<void>();
  async function* lines() {
    for (let number = 1; number <= 1000; number += 1) {
      const line = { number };
      sent.push(new WeakRef(line));
      yield line;
    }
    await rest.promise;
  }
  const { url } = await startListener(t, { 'GET /lines': async () => ({ lines: lines() }) });
  const { ended } = await converse(url, 'GET /lines HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await waitFor('the lines to be let go', () => {
    collect();
    return sent.length === 1000 && sent.filter((line) => line.deref() !== undefined).length < 10;
  });
  rest.resolve();
  t.match(await ended(), '{"number":1000}');
});

test('a client that left is no fault of ours, whatever its handler throws', async (t) => {
  const begun = new Set<string>();
  const { url, lines } = await startListener(
    t,
    {
      'GET /aborts': async ({ signal, url: target }) => {
        begun.add(target);
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return {};
      },
      'POST /reads': async (call) => {
        begun.add(call.url);
        return { json: await call.json() };
      },
      'GET /quick': async () => ({ json: 1 }),
    },
    { connections: { halfClosedMs: 10 } },
  );
  for (const head of ['GET /aborts HTTP/1.1', 'POST /reads HTTP/1.1\r\nContent-Length: 9']) {
    const { socket, ended } = await converse(url, `${head}\r\nHost: x\r\n\r\n`);
    await waitFor('the request', () => begun.has(head.split(' ')[1] ?? ''));
    socket.destroy();
    await ended().catch(() => undefined);
  }
  t.same(statuses(await said(url, ok)), [200]);
  t.strictSame(
    lines.filter(({ level }) => level >= 40),
    [],
  );
});

test('an answer that breaks in the middle ends its connection and is logged', async (t) => {
  async function* broken() {
    yield 1;
    throw new Error('out of lines');
  }
  const { url, lines } = await startListener(t, { 'GET /lines': async () => ({ lines: broken() }) });
  const text = await said(url, 'GET /lines HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(text, /\r\n1\n/);
  t.notMatch(text, /\r\n0\r\n\r\n$/, 'it is not told to be whole');
  t.match(
    lines.filter(({ level }) => level >= 50),
    [{ msg: 'the answer was cut off' }],
  );
});

test('an answer with a header that cannot be sent is a fault that is told, and the connection goes on', async (t) => {
  const headers = { 'X-Bad': 'line\nbreak' };
  let isClosed = false;
  async function* nothing() {}
  const stream = new Readable({ read() {} });
  stream.once('close', () => {
    isClosed = true;
  });
  const { url, lines } = await startListener(t, {
    'GET /json': async () => ({ json: {}, headers }),
    'GET /none': async () => ({ status: 304, headers }),
    'GET /stream': async () => ({ stream: stream as never, headers: { ...headers, 'Content-Length': '5' } }),
    'GET /lines': async () => ({ lines: nothing(), headers }),
    'GET /cyclic': async () => {
      const json: Record<string, unknown> = {};
      json['json'] = json;
      return { json };
    },
    'GET /ok': async () => ({ json: { fine: true } }),
  });
  for (const path of ['/json', '/none', '/stream', '/lines', '/cyclic']) {
    const request = (of: string, more = '') => `GET ${of} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const text = await said(url, request(path) + request('/ok', 'Connection: close\r\n'));
    t.same(statuses(text), [500, 200], path);
    t.match(text, /"code": "InternalError"/);
  }
  t.ok(isClosed, 'what was opened for it is closed');
  t.equal(lines.filter(({ level }) => level >= 50).length, 5);
});
