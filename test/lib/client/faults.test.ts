import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { readJson } from '#lib/client/answer.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import { clientOf, failure, readAll, sendJson, serve, serveRaw } from './server.ts';

const UUID = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';

/** One byte short of nothing: ends only when it is destroyed. */
async function* endless(): AsyncGenerator<Buffer, void> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

test('an error answer keeps its code, status, message, fields and request id', async (t) => {
  const body = {
    code: 'InvalidParameter',
    message: 'limit is "x"',
    errors: [{ field: 'limit', code: 'Invalid' }, 'nonsense'],
  };
  const server = await serve(t, (_, response) =>
    sendJson(response, 422, body, { 'x-request-id': 'r-1', 'retry-after': '7' }),
  );
  const error = await failure(clientOf(t, server.url).listImages());
  t.type(error, ImgapiError);
  t.match(error, {
    ...body,
    errors: [{ field: 'limit', code: 'Invalid' }],
    statusCode: 422,
    requestId: 'r-1',
    retryAfter: 7,
  });
  t.equal((error['errors'] as unknown[]).length, 1);
});

test('whatever a server says of an error, a kilobyte of it is kept', async (t) => {
  const long = 'x'.repeat(50_000);
  const errors = Array.from({ length: 200 }, () => ({ field: long, code: long, message: long }));
  const answers: readonly [number, object, Record<string, string>][] = [
    [422, { code: long, message: long, errors }, { 'x-request-id': 'r'.repeat(5000) }],
    [302, {}, { location: `http://x/${'y'.repeat(8000)}` }],
    [206, {}, { 'content-range': 'z'.repeat(8000) }],
  ];
  for (const [status, body, headers] of answers) {
    const server = await serve(t, (_, response) => sendJson(response, status, body, headers));
    const error = (await failure(clientOf(t, server.url).getImageFile(UUID))) as unknown as ImgapiError;
    t.type(error, ImgapiError);
    t.ok(Buffer.byteLength(error.message) <= 1024, `${status}: ${error.message.length} characters`);
    t.ok((error.stack ?? '').length < 5000, 'its stack repeats no more');
    t.ok(JSON.stringify({ ...error, message: error.message }).length < 50_000);
    t.ok(error.code.length <= 100 && (error.requestId ?? '').length <= 100);
  }
});

const ERROR_BODIES: readonly [string, string, RegExp][] = [
  ['HTML', '<html>\n <b>Bad Gateway</b></html>', /answered 502: <html> <b>Bad Gateway<\/b><\/html>/],
  ['nothing', '', /answered 502$/],
  ['a message without a code', '{"message":"down"}', /^down$/],
  ['a JSON array', '[1]', /answered 502: \[1\]/],
  ['null', 'null', /answered 502/],
  ['fields of other types', '{"code":7,"message":{},"errors":"x"}', /answered 502/],
];

for (const [what, body, message] of ERROR_BODIES) {
  test(`an error answer with ${what} is an error all the same`, async (t) => {
    const server = await serve(t, (_, response) => response.writeHead(502).end(body));
    const error = await failure(clientOf(t, server.url).ping());
    t.match(error, { name: 'ImgapiError', code: 'Http502', statusCode: 502 });
    t.match(error.message, message);
  });
}

test('an error answer that breaks off keeps its status', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(503, { 'content-length': '1000' });
    response.write('{"code":"Sto', () => response.destroy());
  });
  t.match(await failure(clientOf(t, server.url).ping()), { name: 'ImgapiError', statusCode: 503 });
});

test('redirects are not followed, whatever their status', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await serve(t, (_, response) =>
      response.writeHead(status, { location: 'http://169.254.169.254/secret' }).end(),
    );
    const client = clientOf(t, server.url);
    for (const call of [client.ping(), client.getImageFile(UUID), client.createImage({})]) {
      const error = await failure(call);
      t.match(error, { name: 'ImgapiError', code: 'Redirect', statusCode: status });
      t.match(error.message, /redirects to http:\/\/169\.254\.169\.254\/secret/);
    }
    t.equal(server.received.length, 3);
  }
});

test('success without JSON is an invalid answer', async (t) => {
  for (const body of ['', '<html>', '{"a":']) {
    const server = await serve(t, (_, response) => response.end(body));
    t.match(await failure(clientOf(t, server.url).ping()), {
      name: 'ImgapiError',
      code: 'InvalidAnswer',
      statusCode: 200,
    });
  }
});

test('a line of a stream that is not JSON is an invalid answer', async (t) => {
  const server = await serve(t, (_, response) => response.end('{"state":"queued"}\noops\n'));
  const states: string[] = [];
  const watch = async () => {
    for await (const { state } of clientOf(t, server.url).watchImageCopy(UUID)) states.push(state);
  };
  t.match(await failure(watch()), { code: 'InvalidAnswer', message: /a line is not JSON: oops/ });
  t.strictSame(states, ['queued']);
});

test('a refused connection is unreachable, with its cause', async (t) => {
  const server = await serve(t, () => {});
  await server.close();
  const error = await failure(clientOf(t, server.url).ping());
  t.type(error, ImgapiUnreachableError);
  t.match(error, { fault: 'connect', url: `${server.url}/ping`, cause: { code: 'ECONNREFUSED' } });
});

test('a name that does not resolve is unreachable', async (t) => {
  const error = await failure(clientOf(t, 'http://no-such-host.invalid').ping());
  t.match(error, { name: 'ImgapiUnreachableError', fault: 'connect' });
});

test('a connection that breaks before the answer is unreachable', async (t) => {
  const url = await serveRaw(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  t.match(await failure(clientOf(t, url).ping()), { name: 'ImgapiUnreachableError', fault: 'reset' });
});

test('a peer that does not speak HTTP is unreachable', async (t) => {
  const url = await serveRaw(t, (socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
  t.match(await failure(clientOf(t, url).ping()), { name: 'ImgapiUnreachableError', fault: 'protocol' });
});

test('a server that never answers is given up', async (t) => {
  const server = await serve(t, () => {});
  const client = clientOf(t, server.url, { answerTimeout: 100 });
  t.match(await failure(client.ping()), { name: 'ImgapiUnreachableError', fault: 'answer-timeout' });
  const posted = failure(clientOf(t, server.url).createImage({}, { answerTimeout: 100 }));
  t.match(await posted, { fault: 'answer-timeout' });
});

test('a body that stands still is given up', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x'.repeat(10));
  });
  const client = clientOf(t, server.url, { idleTimeout: 1500 });
  const error = await failure(client.ping());
  t.match(error, { name: 'ImgapiUnreachableError', fault: 'idle-timeout' });
  t.match(error.message, /no bytes for 1.5 s after 10 bytes/);
  const { stream } = await client.getImageFile(UUID);
  t.match(await failure(readAll(stream)), { fault: 'idle-timeout' });
  t.equal(stream.bytes, 10);
});

test('a reader that is slow itself is no fault of the body', async (t) => {
  const size = 8 * 1024 * 1024;
  const server = await serve(t, (_, response) => response.end(Buffer.alloc(size)));
  const { stream } = await clientOf(t, server.url, { idleTimeout: 2000 }).getImageFile(UUID);
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // Longer than the idle time, once.
    if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 2500));
    bytes += chunk.length;
  }
  t.equal(bytes, size);
});

test('a body that ends early fails, with what came counted', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x'.repeat(600), () => response.socket?.end());
  });
  const { stream, size } = await clientOf(t, server.url).getImageFile(UUID);
  t.equal(size, 1000);
  const error = await failure(readAll(stream));
  t.match(error, { name: 'ImgapiUnreachableError' });
  t.match(String(error['fault']), /^(reset|short-body)$/);
  t.equal(stream.bytes, 600);
});

test('a body of unknown length that breaks off fails', async (t) => {
  const server = await serve(t, (_, response) => {
    response.write('x'.repeat(600), () => response.destroy());
  });
  const { stream, size } = await clientOf(t, server.url).getImageFile(UUID);
  t.equal(size, undefined);
  t.match(await failure(readAll(stream)), { name: 'ImgapiUnreachableError', fault: 'reset' });
});

test('a body that breaks before anybody reads it does not end the process', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x', () => response.destroy());
  });
  const { stream } = await clientOf(t, server.url).getImageFile(UUID);
  if (!stream.destroyed) await once(stream, 'close').catch(() => {});
  await t.rejects(readAll(stream));
});

test('an aborted call rejects with the reason of its signal', async (t) => {
  const server = await serve(t, () => {});
  const client = clientOf(t, server.url);
  const reason = new Error('the operator changed her mind');
  t.equal(await failure(client.ping({ signal: AbortSignal.abort(reason) })), reason);
  const controller = new AbortController();
  const pending = failure(client.ping({ signal: controller.signal }));
  controller.abort(reason);
  t.equal(await pending, reason);
});

test('an abort ends a body under way', async (t) => {
  const server = await serve(t, (_, response) => response.write(Buffer.alloc(1000)));
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error('enough');
  const { stream } = await clientOf(t, server.url).getImageFile(UUID, { signal });
  const reading = failure(readAll(stream));
  controller.abort(reason);
  t.equal(await reading, reason);
});

test('an abort ends an upload and its source', async (t) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const server = await serve(t, (request) => {
    request.once('data', () => controller.abort(reason));
    request.resume();
  });
  const source = Readable.from(endless(), { objectMode: false });
  const upload = clientOf(t, server.url).addImageFile(
    UUID,
    source,
    { compression: 'none' },
    { signal: controller.signal },
  );
  t.equal(await failure(upload), reason);
  t.ok(source.destroyed);
});

test('an upload whose source fails rejects with the failure of the source', async (t) => {
  const server = await serve(t, (request) => request.resume());
  const cause = new Error('disk on fire');
  async function* broken(): AsyncGenerator<Buffer, void> {
    yield Buffer.alloc(1000);
    throw cause;
  }
  t.equal(await failure(clientOf(t, server.url).addImageFile(UUID, broken(), { compression: 'none' })), cause);
});

test('a connection that breaks during an upload is unreachable, and no failure of the source', async (t) => {
  const url = await serveRaw(t, (socket) => {
    socket.pause();
    setTimeout(() => socket.resetAndDestroy(), 50);
  });
  const upload = clientOf(t, url).addImageFile(UUID, endless(), { compression: 'none' });
  t.match(await failure(upload), { name: 'ImgapiUnreachableError', fault: 'reset' });
});

test('a server that stops taking an upload is given up', async (t) => {
  const server = await serve(t, (request) => request.pause());
  const upload = clientOf(t, server.url, { idleTimeout: 100 }).addImageFile(UUID, endless(), { compression: 'none' });
  t.match(await failure(upload), { name: 'ImgapiUnreachableError', fault: 'idle-timeout' });
});

test('a source that is slow is no fault of the server', async (t) => {
  const server = await serve(t, (request, response) => {
    request.resume().on('end', () => sendJson(response, 200, { uuid: UUID }));
  });
  async function* slow(): AsyncGenerator<Buffer, void> {
    yield Buffer.from('a');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    yield Buffer.from('b');
  }
  const client = clientOf(t, server.url, { idleTimeout: 2000 });
  t.match(await client.addImageFile(UUID, slow(), { compression: 'none' }), { uuid: UUID });
});

test('a server that never answers an upload is given up', async (t) => {
  const server = await serve(t, (request) => request.resume());
  const parameters = { compression: 'none' } as const;
  const upload = clientOf(t, server.url).addImageFile(UUID, Readable.from([Buffer.from('x')]), parameters, {
    answerTimeout: 100,
  });
  t.match(await failure(upload), { name: 'ImgapiUnreachableError', fault: 'answer-timeout' });
});

test('an upload that is refused before its end rejects with the answer and lets go of the source', async (t) => {
  const server = await serve(t, (request, response) => {
    sendJson(response, 422, { code: 'ImageFilesImmutable', message: 'no' });
    request.resume();
  });
  const source = Readable.from(endless(), { objectMode: false });
  const upload = clientOf(t, server.url).addImageFile(UUID, source, { compression: 'none' });
  t.match(await failure(upload), { name: 'ImgapiError', code: 'ImageFilesImmutable' });
  t.ok(source.destroyed);
});

test('a source of another size than announced is not sent as if it were whole', async (t) => {
  const server = await serve(t, (request, response) => {
    request.resume().on('end', () => sendJson(response, 200, {}));
  });
  for (const size of [999, 1001]) {
    const source = Readable.from([Buffer.alloc(1000)]);
    await t.rejects(clientOf(t, server.url).addImageFile(UUID, source, { compression: 'none', size }));
  }
});

test('running calls end when the client is destroyed', async (t) => {
  const server = await serve(t, () => {});
  const client = clientOf(t, server.url);
  const pending = failure(client.ping());
  await client.destroy();
  t.match(await pending, { name: 'ImgapiUnreachableError' });
});

test('an error answer that drips is an error all the same, and soon', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 500);
    response.once('close', () => clearInterval(drip));
  });
  const client = clientOf(t, server.url, { idleTimeout: 5000 });
  const error = await failure(client.getImageFile(UUID));
  t.match(error, { statusCode: 500, code: 'Http500' });
});

test('JSON that drips is given up, and a list that is none is an invalid answer', async (t) => {
  const { url } = await serve(t, (_, response) => {
    response.write('[');
    const drip = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(drip));
  });
  const transport = new HttpTransport({ url });
  t.teardown(() => transport.destroy());
  const answer = await transport.send({ method: 'GET', path: '/images' });
  await t.rejects(readJson(answer, 200), { name: 'ImgapiUnreachableError', fault: 'idle-timeout' });

  for (const list of [{}, null, [null], ['x']]) {
    const { url: other } = await serve(t, (_, response) => sendJson(response, 200, list));
    const all = async () => {
      for await (const _ of clientOf(t, other).listAll());
    };
    t.match(await failure(all()), { name: 'ImgapiError', code: 'InvalidAnswer' }, JSON.stringify(list));
  }
});
