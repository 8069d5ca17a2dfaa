/** What once ended the process, or could: each request is answered, and the process that answers stays the same one. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { overSocket, type RawRequest, send } from '../images/fixture.ts';

const MIB = 1024 * 1024;

const channels = [{ name: 'dev', description: 'all bits', default: true }];
const open = await spawnImgapi(t, { mode: 'private', authType: 'none', channels });
const other = await spawnImgapi(t, { datacenterName: 'other' });
const server = await spawnImgapi(t, { imgapiUrlFromDatacenter: { other: other.url } });
const client = server.client();

const { image: active } = await makeImage(client, {}, { owner: ALICE, size: 10 });
const waiting = await client.createImage({ ...MANIFEST, owner: ALICE });
const elsewhere = await other.client().createImage({ ...MANIFEST, owner: ALICE });
const inChannel = await open.client().createImage({ ...MANIFEST, owner: ALICE });
const manifest = { ...MANIFEST, owner: ALICE };
const json = { 'content-type': 'application/json' };

/** A bad request and what in the answer names the value. */
type Row = readonly [what: string, request: RawRequest, status: number, field: string, message?: RegExp];

const post = (path: string, body?: unknown): RawRequest =>
  body === undefined ? { method: 'POST', path } : { method: 'POST', path, body: JSON.stringify(body), headers: json };
const act = (action: string, body?: unknown, uuid = waiting.uuid) => post(`/images/${uuid}?action=${action}`, body);

const ROWS: readonly Row[] = [
  ['a public that is no boolean', { path: '/images?public=perhaps' }, 422, 'public', /"perhaps"/],
  ['no body on create', post('/images'), 422, 'body'],
  ['null on create', post('/images', null), 422, 'body'],
  ['a list on create', post('/images', [manifest]), 422, 'body'],
  ['a text on create', post('/images', 'image'), 422, 'body'],
  ['no owner on create', post('/images', MANIFEST), 422, 'owner'],
  ['a malformed owner on create', post('/images', { ...manifest, owner: 'alice' }), 422, 'owner', /"alice"/],
  ['an owner that is an object on create', post('/images', { ...manifest, owner: { toString: 1 } }), 422, 'owner'],
  ['tags that are a text on create', post('/images', { ...manifest, tags: 'a=b' }), 422, 'tags', /"a=b"/],
  ['tags that are a list on create', post('/images', { ...manifest, tags: ['a'] }), 422, 'tags'],
  ['tags that are a number on create', post('/images', { ...manifest, tags: 7 }), 422, 'tags', /7/],
  ['an unknown action on create', post('/images?action=explode', manifest), 422, 'action', /"explode"/],
  ['two actions on create', post('/images?action=a&action=b', manifest), 422, 'action'],
  ['no body on import', act('import'), 422, 'body'],
  ['null on import', act('import', null), 422, 'body'],
  ['no body on update', act('update'), 422, 'body'],
  ['null on update', act('update', null), 422, 'body'],
  ['files that are no list on update', act('update', { files: { sha1: 'x' } }), 422, 'files'],
  ['files that are a text on update', act('update', { files: 'x' }), 422, 'files'],
  ['no such icon to delete', { method: 'DELETE', path: `/images/${active.uuid}/icon` }, 404, '', /no icon/],
  ['export without a file, or Manta', act('export&manta_path=/alice/stor'), 503, '', /needs Manta/],
  ['change-stor without a file', act('change-stor&stor=local'), 422, 'files', /no file/],
  ['change-stor to nowhere', act('change-stor&stor=tape', undefined, active.uuid), 422, 'stor', /"tape"/],
  [
    'import-from-datacenter of an image that is not active',
    post(`/images/${elsewhere.uuid}?action=import-from-datacenter&datacenter=other&account=${ALICE}`),
    422,
    '',
    /not active|unactivated/,
  ],
  ['an unknown datacenter', act(`import-from-datacenter&datacenter=x&account=${ALICE}`), 422, 'datacenter', /"x"/],
  ['homepage that is a number', post('/images', { ...manifest, homepage: 7 }), 422, 'homepage', /7/],
  ['name that is null', post('/images', { ...manifest, name: null }), 422, 'name', /null/],
  ['disabled that is no boolean', post('/images', { ...manifest, disabled: 'no' }), 422, 'disabled', /"no"/],
  ['a limit that is no number', { path: '/images?limit=many' }, 422, 'limit', /"many"/],
];

for (const [what, request, status, field, message] of ROWS) {
  t.test(`${what}: ${status}`, async (t) => {
    const answer = await send(server.url, request);
    t.equal(answer.status, status);
    t.match(answer.json, { code: String, message: String });
    const errors = (answer.json?.['errors'] ?? []) as { field: string; message?: string }[];
    if (field !== '') t.equal(errors[0]?.field, field);
    const told = `${answer.json?.message} ${errors.map((error) => error.message).join(' ')}`;
    if (message) t.match(told, message);
  });
}

for (const body of [undefined, null, [], 'dev', { channel: null }]) {
  t.test(`channel-add with ${JSON.stringify(body) ?? 'nothing'}: 422`, async (t) => {
    const answer = await send(open.url, act('channel-add', body, inChannel.uuid));
    t.match(answer, { status: 422, json: { code: 'ValidationFailed', errors: [{ field: 'channel' }] } });
  });
}

t.test('images are found by billing tag', async (t) => {
  const { uuid } = await client.createImage({ ...manifest, billing_tags: ['expensive', 'x'] });
  const list = async (query: string) => (await send(server.url, { path: `/images?state=all&${query}` })).json;
  t.match(await list('billing_tag=expensive&billing_tag=x'), [{ uuid }]);
  t.same(await list('billing_tag=expensive&billing_tag=cheap'), []);
});

t.test('bodies of JSON', async (t) => {
  const path = '/images';
  const raw = (body: string | Uint8Array, headers: Record<string, string> = json) =>
    send(server.url, { method: 'POST', path, body, headers });
  const chunked = (chunks: readonly (string | Uint8Array)[], headers: Record<string, string> = {}) =>
    send(server.url, { method: 'POST', path, chunks, headers: { ...json, ...headers } });
  const good = JSON.stringify(manifest);
  const large = JSON.stringify({ ...manifest, description: 'x'.repeat(2 * MIB) });

  for (const body of ['{', '{"a":}', "{'a': 1}", '{"a": 1} x', '\u0000', 'undefined', 'NaN', '{"a": 01}']) {
    await t.test(`that are not valid are told so: ${JSON.stringify(body)}`, async (t) => {
      t.match(await raw(body), { status: 400, json: { code: 'InvalidContent' } });
    });
  }

  await t.test('may have a megabyte and no more, whether announced or not', async (t) => {
    const padded = good + ' '.repeat(MIB - good.length);
    t.equal((await raw(padded)).status, 200);
    t.equal((await chunked([padded])).status, 200);
    const tooLarge = { status: 413, json: { code: 'RequestEntityTooLarge' } };
    t.match(await raw(`${padded} `), tooLarge);
    t.match(await raw(large), tooLarge);
    t.match(await chunked([large]), tooLarge);
    t.match(await chunked([`${padded} `]), tooLarge);
  });

  await t.test('that are too large are not asked for', async (t) => {
    const headers = { ...json, expect: '100-continue' };
    t.match(await send(server.url, { method: 'POST', path, body: large, headers }), { status: 413, invited: false });
    t.match(await send(server.url, { method: 'POST', path, body: good, headers }), { status: 200, invited: true });
  });

  await t.test('may be compressed by gzip, up to the same size', async (t) => {
    const zipped = { ...json, 'content-encoding': 'gzip' };
    t.equal((await raw(gzipSync(good), zipped)).status, 200);
    t.match(await raw(gzipSync(large), zipped), { status: 413, json: { code: 'RequestEntityTooLarge' } });
    const bomb = gzipSync(Buffer.alloc(200 * MIB));
    t.match(await raw(bomb, zipped), { status: 413, json: { code: 'RequestEntityTooLarge' } });
    t.match(await chunked([bomb], zipped), { status: 413 });
  });

  await t.test('that are no gzip, or only the beginning of it, are told so', async (t) => {
    const zipped = { ...json, 'content-encoding': 'gzip' };
    for (const body of [Buffer.from(good), gzipSync(good).subarray(0, 40), randomBytes(MIB / 2), Buffer.alloc(100)]) {
      t.match(await raw(body, zipped), { status: 400, json: { code: 'InvalidContent' } });
      t.match(await chunked([body], zipped), { status: 400, json: { code: 'InvalidContent' } });
    }
    const answer = await raw(good, { ...json, 'content-encoding': 'br' });
    t.match(answer, { status: 400, json: { code: 'InvalidHeader', message: /"br"/ } });
  });

  await t.test('have the MD5 that they claim', async (t) => {
    const md5 = (text: string) => createHash('md5').update(text).digest('base64');
    t.equal((await raw(good, { ...json, 'content-md5': md5(good) })).status, 200);
    for (const wrong of [md5('x'), 'x', '', '====', 'ä']) {
      const answer = await raw(good, { ...json, 'content-md5': Buffer.from(wrong).toString('latin1') });
      t.match(answer, { status: 400, json: { code: 'BadDigest' } }, wrong);
    }
  });

  await t.test('of another type are none', async (t) => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      ';',
      '/',
    ]) {
      t.match(await raw(good, { 'content-type': type }), { status: 422, json: { errors: [{ field: 'body' }] } }, type);
    }
    for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/merge-patch+json']) {
      t.equal((await raw(good, { 'content-type': type })).status, 200, type);
    }
  });

  await t.test('that nest too deep are refused, wherever they do', async (t) => {
    const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
    const deep = [
      nested('[', ']', 100_000),
      nested('{"a":', '}', 50_000).replace('{"a":}', '{"a":1}'),
      `${good.slice(0, -1)},"tags":{"a":${nested('[', ']', 200)}}}`,
      `${good.slice(0, -1)},"traits":{"a":${nested('[', ']', 400_000)}}}`,
      `${good.slice(0, -1)},"name":${nested('[', ']', 10_000)}}`,
      `${good.slice(0, -1)},"owner":${nested('[', ']', 10_000)}}`,
    ];
    for (const body of deep) t.match(await raw(body), { status: 400, json: { code: 'InvalidContent' } });
    const shallow = `${good.slice(0, -1)},"tags":{"a":${nested('[', ']', 50)}}}`;
    t.equal((await raw(shallow)).status, 200);
  });

  await t.test('with keys that mean something elsewhere mean nothing here', async (t) => {
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const tagged = await raw(`${good.slice(0, -1)},"tags":{"${key}":{"x":1}}}`);
      t.equal(tagged.status, 200);
      t.match(tagged.bytes.toString(), new RegExp(`"${key}": {\\s*"x": 1`));
      const field = await raw(`${good.slice(0, -1)},"${key}":{"polluted":1}}`);
      t.match(field, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: key }] } });
    }
    t.equal((await send(server.url, { path: '/ping' })).status, 200);
  });

  await t.test('that end early are no request', async (t) => {
    const head = `POST /images HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
    const { connect } = await import('node:net');
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.end(head);
    await new Promise((resolve) => socket.once('close', resolve).resume());
    t.equal((await client.ping()).ping, 'pong');
  });
});

t.test('a connection goes on after a body that was refused', async (t) => {
  const refused = `POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{"a":`;
  const next = 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const text = await overSocket(server.url, refused + next);
  t.match(text, /^HTTP\/1\.1 400 /);
  t.match(text, /HTTP\/1\.1 200 /);
  const long = `POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 * MIB}\r\n\r\n${'x'.repeat(2 * MIB)}`;
  const both = await overSocket(server.url, long + next);
  t.match(both, /^HTTP\/1\.1 413 /);
  t.match(both, /HTTP\/1\.1 200 /);
});

t.test('paths', async (t) => {
  const { uuid } = active;
  const notFound = [
    '/images/x',
    `/images/${uuid.toUpperCase()}`,
    `/images/${uuid}x`,
    `/images/${uuid}%00`,
    `/images/%20${uuid}`,
    '/images/%2e%2e%2fetc%2fpasswd',
    '/images/..%2f..%2fx/file',
    `/images/${'a'.repeat(5000)}`,
    '/images/%F0%9F%98%80',
    '/images/null/file',
    '/nothing',
    '/images/x/y/z',
    '/docs/../../../../etc/passwd',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/jobs/x',
    '/pulls/20260101/../../x',
  ];
  for (const path of notFound) {
    const answer = await send(server.url, { path, headers: { 'accept-version': '~3' } });
    t.ok([301, 302, 400, 401, 404].includes(answer.status), `${path}: ${answer.status}`);
    if (answer.status >= 400) t.match(answer.json, { code: String, message: String }, path);
    t.notMatch(answer.bytes.toString(), /root:|"dependencies"/);
  }
  for (const path of ['/images/%', '/images/%zz', '/images/%ff', '/images/%ED%A0%80', '/%']) {
    const answer = await send(server.url, { path });
    t.ok(answer.status === 400 || answer.status === 404, `${path}: ${answer.status}`);
    t.match(answer.json, { code: String, message: String });
  }
});

t.test('methods that a path does not take', async (t) => {
  for (const [method, path, allowed] of [
    ['PATCH', '/images', 'GET, POST'],
    ['PUT', '/images', 'GET, POST'],
    ['DELETE', '/ping', 'GET'],
    ['OPTIONS', `/images/${active.uuid}`, 'GET'],
  ] as const) {
    const answer = await send(server.url, { method, path });
    t.match(answer, { status: 405, json: { code: 'MethodNotAllowedError' } }, `${method} ${path}`);
    for (const name of allowed.split(', ')) t.ok(answer.headers.allow?.includes(name), `${answer.headers.allow}`);
  }
});

t.test('headers', async (t) => {
  const get = (headers: Record<string, string | string[]>, path = `/images/${active.uuid}`) =>
    send(server.url, { path, headers });
  const strange = ['', ' ', ',', '"', 'W/', 'W/"', '*', '%', '\u00ff', 'x'.repeat(5000), '-1', 'bytes=', '0'];
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range']) {
    for (const value of strange) {
      for (const path of [`/images/${active.uuid}`, `/images/${active.uuid}/file`]) {
        const { status } = await get({ [name]: value }, path);
        t.ok([200, 206, 304, 412, 416].includes(status), `${name}: ${value.slice(0, 10)}: ${status}`);
      }
    }
  }
  for (const value of ['~99', 'latest', '', '1.x || 9', '\u00ff', '^', 'x'.repeat(3000), '>=0 <1', '||'.repeat(500)]) {
    const { status, json: body } = await get({ 'accept-version': value });
    t.ok(status === 200 || (status === 400 && body?.code === 'InvalidVersion'), `${value.slice(0, 10)}: ${status}`);
  }
  t.equal((await get({ 'x-request-id': 'a b\u00ff' })).status, 200);
  t.equal((await get({ authorization: 'Signature keyId=' })).status, 200);
  t.equal((await get({ expect: 'miracles' })).status, 417);
});

t.test('what is no HTTP is told so, in the form of any other error', async (t) => {
  const rows = [
    'hello\r\n\r\n',
    'GET /ping HTTP/9.9\r\n\r\n',
    'GET /ping HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n',
    'POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n',
    'POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
    'GET /ping HTTP/1.1\r\nHost: x\r\nX: \u0000\r\n\r\n',
  ];
  for (const text of rows) {
    const answer = await overSocket(server.url, text);
    t.match(answer, /^HTTP\/1\.1 400 /, JSON.stringify(text.slice(0, 60)));
    t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? '{}'), { code: 'BadRequest', message: /cannot be read/ });
  }
  const chunk = 'POST /images HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
  t.match(await overSocket(server.url, chunk), /^HTTP\/1\.1 400 /);
});

t.test('queries', async (t) => {
  const many = Array.from({ length: 1500 }, (_, n) => `a${n}=1`).join('&');
  t.match(await send(server.url, { path: `/images?${many}` }), { status: 400, json: { code: 'BadRequest' } });
  for (const query of [
    '&&&',
    '=',
    '=&=',
    '?',
    '%',
    '%zz=%zz',
    'account',
    'tag.=x',
    'tag.a.b=x',
    'a[b]=c',
    '__proto__=x',
  ]) {
    const { status } = await send(server.url, { path: `/images?limit=1&${query}` });
    t.ok(status === 200 || (status === 422 && query === 'account'), `${query}: ${status}`);
  }
  const uuid = randomUUID();
  const twice = await send(server.url, { path: `/images/${active.uuid}?account=${uuid}&account=${uuid}` });
  t.match(twice, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'account' }] } });
});

t.test('the processes that have answered all of this are those that were started', async (t) => {
  for (const { url, process } of [server, other, open]) {
    t.equal(process.exitCode, null);
    t.equal(process.signalCode, null);
    t.equal((await send(url, { path: '/ping' })).status, 200);
  }
  t.equal((await client.ping()).pid, server.process.pid);
});
