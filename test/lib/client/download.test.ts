import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { download } from '#lib/client/download.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import { clientOf, failure, readAll, sendJson, serve } from './server.ts';

const UUID = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';
const FILE = Buffer.from(Array.from({ length: 1000 }, (_, n) => n % 256));

/** Serves FILE as IMGAPI does. */
const handler: Parameters<typeof serve>[1] = (request, response) => {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const etag = { etag: 'sha1-of-it' };
  const condition = request.headers['if-match'];
  if (condition !== undefined && condition !== etag.etag) {
    sendJson(response, 412, { code: 'PreconditionFailed', message: 'it is another file' });
  } else if (!range) {
    response.writeHead(200, { ...etag, 'content-length': FILE.length }).end(FILE);
  } else if (Number(range[1]) >= FILE.length) {
    sendJson(response, 416, { code: 'RangeNotSatisfiable', message: 'too far' }, { 'content-range': 'bytes */1000' });
  } else {
    const [start, end] = [Number(range[1]), range[2] === '' ? FILE.length - 1 : Number(range[2])];
    const headers = { 'content-range': `bytes ${start}-${end}/1000`, 'content-length': end - start + 1 };
    response.writeHead(206, { ...etag, ...headers }).end(FILE.subarray(start, end + 1));
  }
};

test('a whole file comes with its size', async (t) => {
  const server = await serve(t, handler);
  const file = await clientOf(t, server.url).getImageFile(UUID, { index: 0 });
  t.match(file, { status: 200, size: 1000, start: 0, total: 1000, headers: { etag: 'sha1-of-it' } });
  t.strictSame(await readAll(file.stream), FILE);
  t.equal(file.stream.bytes, 1000);
  t.equal(server.received[0]?.url, `/images/${UUID}/file?index=0`);
});

test('a range comes with its place in the file', async (t) => {
  const server = await serve(t, handler);
  const client = clientOf(t, server.url);
  const rest = await client.getImageFile(UUID, { start: 600, ifMatch: 'sha1-of-it' });
  t.match(rest, { status: 206, size: 400, start: 600, total: 1000 });
  t.strictSame(await readAll(rest.stream), FILE.subarray(600));
  const middle = await client.getImageFile(UUID, { start: 10, end: 19 });
  t.match(middle, { status: 206, size: 10, start: 10, total: 1000 });
  t.strictSame(await readAll(middle.stream), FILE.subarray(10, 20));
  const head = await client.getImageFile(UUID, { end: 4 });
  t.match(head, { status: 206, size: 5, start: 0 });
  head.stream.destroy();
});

test('a file that is another one by now, or shorter than the range, is an error', async (t) => {
  const server = await serve(t, handler);
  const client = clientOf(t, server.url);
  t.match(await failure(client.getImageFile(UUID, { start: 1, ifMatch: 'other' })), { statusCode: 412 });
  t.match(await failure(client.getImageFile(UUID, { start: 1000 })), {
    statusCode: 416,
    code: 'RangeNotSatisfiable',
  });
});

test('a server that ignores ranges is seen to begin at the start', async (t) => {
  const server = await serve(t, (_, response) => response.end(FILE));
  const file = await clientOf(t, server.url).getImageFile(UUID, { start: 600 });
  t.match(file, { status: 200, start: 0, size: 1000 });
  t.strictSame(await readAll(file.stream), FILE);
});

const LIES: readonly [string, Record<string, string>][] = [
  ['no Content-Range', {}],
  ['a Content-Range that is none', { 'content-range': 'bytes 600-/1000' }],
  ['another start', { 'content-range': 'bytes 500-999/1000' }],
  ['an end before the start', { 'content-range': 'bytes 600-599/1000' }],
  ['an end behind the file', { 'content-range': 'bytes 600-1000/1000' }],
  ['more than was asked for', { 'content-range': 'bytes 600-701/1000' }],
  ['another length', { 'content-range': 'bytes 600-699/1000', 'content-length': '50' }],
];

for (const [what, headers] of LIES) {
  test(`206 with ${what} is an invalid answer`, async (t) => {
    const server = await serve(t, (_, response) => {
      response.writeHead(206, headers);
      response.flushHeaders();
    });
    const error = await failure(clientOf(t, server.url).getImageFile(UUID, { start: 600, end: 700 }));
    t.match(error, { name: 'ImgapiError', code: 'InvalidAnswer', statusCode: 206 });
  });
}

test('206 that nobody asked for must be the whole file from its start', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('56789');
  });
  t.match(await failure(clientOf(t, server.url).getImageFile(UUID)), { code: 'InvalidAnswer' });
});

test('204 is no file', async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(204).end());
  t.match(await failure(clientOf(t, server.url).getImageFile(UUID)), { code: 'InvalidAnswer' });
});

test('any URL of an origin can be downloaded, without the headers of IMGAPI', async (t) => {
  const server = await serve(t, handler);
  const transport = new HttpTransport({ url: server.url });
  t.teardown(() => transport.destroy());
  const path = '/pulls/20260506/x.file0.r1?expires=1&signature=a%2Bb';
  const file = await download(transport, { path }, { start: 990 });
  t.strictSame(await readAll(file.stream), FILE.subarray(990));
  t.equal(server.received[0]?.url, path);
  t.notOk(server.received[0]?.headers['accept-version']);
});

test('what redirects or errors is not taken for a file', async (t) => {
  const server = await serve(t, (_, response, { path }) => {
    if (path === '/moved') response.writeHead(302, { location: '/x' }).end();
    else response.writeHead(403).end('<Error><Code>ExpiredToken</Code></Error>');
  });
  const transport = new HttpTransport({ url: server.url });
  t.teardown(() => transport.destroy());
  t.match(await failure(download(transport, { path: '/moved' })), { code: 'Redirect' });
  t.match(await failure(download(transport, { path: '/x' })), { code: 'Http403', message: /ExpiredToken/ });
});

test('a file of 200 MB does not go through memory', async (t) => {
  const size = 200 * 1024 * 1024;
  const path = join(t.testdir({ zero: '' }), 'zero');
  const { truncate } = await import('node:fs/promises');
  await truncate(path, size);
  const server = await serve(t, (_, response) => createReadStream(path).pipe(response));
  const { stream } = await clientOf(t, server.url).getImageFile(UUID);
  let bytes = 0;
  let most = 0;
  const before = process.memoryUsage.rss();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    most = Math.max(most, stream.readableLength);
  }
  t.equal(bytes, size);
  t.ok(most <= 1024 * 1024, `${most} bytes waited at the most`);
  t.ok(process.memoryUsage.rss() - before < 150 * 1024 * 1024);
});
