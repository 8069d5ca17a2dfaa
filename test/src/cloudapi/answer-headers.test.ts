/** The headers that Triton's CloudAPI sends with every answer. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const people = makePeople();
const { alice } = people;
const server = await startInProcess(t);
const keys = { datacenters: { 'test-1': 'http://here.example.com/cloud' } };
const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url, keys });
const ask = asker(t, cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));

const COMMON = {
  server: 'cloudapi/9.20.0',
  'access-control-allow-origin': '*',
  'access-control-allow-headers': /^Accept, .*Date/,
  'access-control-expose-headers': 'Api-Version, Request-Id, Response-Time',
  'api-version': '9.0.0',
  connection: 'Keep-Alive',
  'keep-alive': /^timeout=\d+$/,
  'request-id': /./,
  'response-time': /^\d+$/,
  date: /GMT$/,
};

t.test('every answer of a route has them, errors too', async (t) => {
  const asked: readonly [string, string, object, string][] = [
    ['GET', '/--ping', {}, 'GET, HEAD'],
    ['GET', '/my', { as: alice }, 'GET, HEAD, POST, PUT'],
    ['HEAD', '/my/images', { as: alice }, 'GET, HEAD, POST'],
    ['GET', `/my/images/${image.uuid}`, { as: alice }, 'GET, HEAD, DELETE, POST, PUT'],
    ['GET', '/my/images', {}, 'GET, HEAD, POST'],
    ['GET', '/my/images?type=foo&limit=x', { as: alice }, 'GET, HEAD, POST'],
    ['GET', '/my/images/nonsense', { as: alice }, 'GET, HEAD, DELETE, POST, PUT'],
    ['GET', '/my/datacenters/test-1', { as: alice }, 'GET, HEAD'],
  ];
  for (const [method, path, credentials, methods] of asked) {
    const { headers, status } = await ask(path, { method, ...credentials });
    // undici asks for the end of the connection after a HEAD.
    const { connection, 'keep-alive': alive, ...others } = COMMON;
    t.match(
      headers,
      {
        ...others,
        ...(method !== 'HEAD' && { connection, 'keep-alive': alive }),
        'access-control-allow-methods': methods,
      },
      `${method} ${path}: ${status}`,
    );
  }
});

t.test('the request id is that of the client, and the version the one that is served', async (t) => {
  const { headers } = await ask('/my/images', {
    as: alice,
    headers: { 'x-request-id': 'mine', 'api-version': '~7.1' },
  });
  t.match(headers, { 'request-id': 'mine', 'x-request-id': 'mine', 'api-version': '7.1.0' });
  const none = await ask('/my/images', { as: alice, headers: { 'accept-version': '~6.5' } });
  t.match(none, { status: 400, json: { code: 'InvalidVersion' } });
  t.notOk('api-version' in none.headers);
});

t.test('what is on no route has those that say who answers', async (t) => {
  const { status, headers } = await ask('/a/b/c/d/e');
  t.equal(status, 404);
  t.match(headers, { server: COMMON.server, 'request-id': /./, 'response-time': /^\d+$/ });
});

t.test('a connection that ends is said to end', async (t) => {
  for (const [version, header] of [
    ['1.1', 'Connection: close\r\n'],
    ['1.0', ''],
  ] as const) {
    const { hostname, port } = new URL(cloudapi.url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /--ping HTTP/${version}\r\nHost: x\r\n${header}\r\n`);
    const answer = await text(socket);
    t.match(answer, /\r\nconnection: close\r\n/i, version);
    t.notMatch(answer, /keep-alive/i);
  }
});

t.test('a datacenter is where the answer sends its client', async (t) => {
  t.match(await ask('/my/datacenters/test-1', { as: alice }), {
    ...{ status: 302, headers: { location: 'http://here.example.com/cloud' } },
    json: { code: 'ResourceMoved', message: /test-1/ },
  });
  for (const name of ['test-2', 'constructor', '__proto__']) {
    const json = { code: 'ResourceNotFound', message: `${name} is not an available datacenter` };
    t.match(await ask(`/my/datacenters/${name}`, { as: alice }), { status: 404, json });
  }
});

t.test('browsers are led to the documentation, whoever sends them', async (t) => {
  for (const how of [{}, { as: alice }]) {
    for (const [path, location] of [
      ['/', /\/cloudapi\/$/],
      ['/docs', /\/cloudapi\/$/],
      ['/docs/', /\/cloudapi\/$/],
      ['/favicon.ico', /\/favicon\.ico$/],
    ] as const) {
      t.match(await ask(path, how), { status: 302, headers: { location } }, path);
    }
  }
});

t.test('whoever would change an account is told that it is managed elsewhere', async (t) => {
  const asked = { method: 'POST', as: alice, json: { phone: '1' } };
  t.match(await ask('/my', asked), {
    status: 501,
    json: { code: 'NotAvailable', message: /alice .*managed elsewhere/ },
  });
  t.equal((await ask('/bob', asked)).status, 403);
});
