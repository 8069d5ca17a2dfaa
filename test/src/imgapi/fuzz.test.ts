/**
 * Whatever comes over a socket, on whichever listener: it is answered or the connection ends, the process lives, and the
 * next request is served.
 */
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { makePeople, spawnCloudapi } from '../../helpers/cloudapi.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { isServed, listenersAt } from '../../helpers/listeners.ts';
import { type Random, seeded } from '../../helpers/random.ts';
import { converse } from '../../helpers/raw-socket.ts';

/** Conversations with each listener. */
const ROUNDS = 400;
const AT_ONCE = 20;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_126);

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'M-SEARCH',
  'get',
  '',
  'PRI',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'RTSP/1.0', ''];
const NAMES = [
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'Content-Type',
  'Content-Encoding',
  'Content-MD5',
  'Expect',
  'Upgrade',
  'Connection',
  'Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Range',
  'Authorization',
  'Date',
  'Digest',
  'Accept',
  'Accept-Version',
  'X-Request-Id',
  'X-Forwarded-For',
  'User-Agent',
  'Trailer',
  'TE',
  '__proto__',
  'constructor',
];
const VALUES = [
  'x',
  '',
  '[',
  '*',
  '0',
  '5',
  '-1',
  '99999999999999999999',
  '5, 5',
  'chunked',
  'chunked, chunked',
  'gzip',
  'identity',
  'application/json',
  'application/json; charset=\u00ff',
  '100-continue',
  'h2c',
  'websocket',
  'Upgrade, HTTP2-Settings',
  'close',
  'keep-alive',
  'bytes=0-',
  'bytes=-1',
  'bytes=5-1,1-5',
  '"a", W/"b"',
  'Thu, 26 Nov 2026 14:00:00 GMT',
  'Signature keyId="/a/keys/b",algorithm="rsa-sha256",headers="date",signature="x"',
  'Signature keyId=",,="',
  'Bearer x',
  'SHA-256=x',
  '~3',
  '>=1 <9 || *',
  'application/x-json-stream',
  '127.0.0.1',
  'a b\tc',
  '%00%0d%0a',
  '{"a":1}',
];
const BODIES = [
  '',
  '{',
  '{}',
  '[]',
  'null',
  '{"owner":{"toString":1}}',
  '5\r\n{"a":\r\n',
  '0\r\n\r\n',
  'zz\r\n',
  '\u0000',
  '\r\n\r\n',
];

/** Something like a request, and then damaged. */
function message(random: Random, paths: readonly string[]): Buffer {
  if (random.chance(0.05)) return random.bytes(random.below(300));
  const value = (): string => (random.chance(0.03) ? 'x'.repeat(random.below(80_000)) : random.pick(VALUES));
  const target = random.chance(0.1) ? value() : random.pick(paths) + (random.chance(0.4) ? `?${query(random)}` : '');
  const head = [
    `${random.chance(0.8) ? random.pick(METHODS.slice(0, 5)) : random.pick(METHODS)} ${target} ${random.pick(VERSIONS)}`,
  ];
  if (random.chance(0.85)) head.push(`Host: ${random.chance(0.8) ? 'x' : value()}`);
  for (let i = random.below(6); i > 0; i -= 1) head.push(`${random.pick(NAMES)}: ${value()}`);
  const body = random.chance(0.1) ? random.bytes(random.below(5000)).toString('latin1') : random.pick(BODIES);
  let bytes: Buffer = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  for (let i = random.chance(0.5) ? random.below(4) : 0; i > 0; i -= 1) bytes = damaged(bytes, random);
  return random.chance(0.1) ? Buffer.concat([bytes, message(random, paths)]) : bytes;
}

function query(random: Random): string {
  const names = ['account', 'action', 'name', 'limit', 'marker', 'tag.a', 'state', 'index', '__proto__', '', '%zz'];
  const pair = () => `${random.pick(names)}=${encodeURIComponent(random.pick(VALUES))}`;
  return Array.from({ length: random.below(5) }, pair).join('&');
}

function damaged(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const copy = Buffer.from(bytes);
  switch (random.below(4)) {
    case 0:
      copy[at] = random.below(256);
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), random.bytes(random.below(8)), copy.subarray(at)]);
    default:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(random.below(bytes.length))]);
  }
}

/** In one piece or several; then it closes its side or all of it. Resolves once the server has ended it as well. */
async function talk(url: string, bytes: Buffer, random: Random): Promise<void> {
  const { socket, ended } = await converse(url);
  const cut = random.chance(0.3) ? random.below(bytes.length + 1) : 0;
  if (cut > 0) {
    socket.write(bytes.subarray(0, cut));
    await new Promise(setImmediate);
  }
  if (random.chance(0.1)) {
    socket.write(bytes.subarray(cut), () => socket.resetAndDestroy());
  } else socket.end(bytes.subarray(cut));
  await ended(30_000);
}

test('whatever comes is answered or cut, and the process that serves stays the same one', async (t) => {
  const metricsPort = await freePort();
  const log: string[] = [];
  const imgapi = await spawnImgapi(
    t,
    { logLevel: 'error', links: { port: 0 }, metrics: { port: metricsPort } },
    { onLog: (text) => log.push(text) },
  );
  const { image } = await makeImage(imgapi.client(), {}, { owner: ALICE, size: 1000 });
  const cloudapi = await spawnCloudapi(t, { people: Object.values(makePeople()), imgapi: imgapi.url });
  const listeners = listenersAt({
    main: imgapi.url,
    links: imgapi.linksUrl ?? '',
    metrics: `http://127.0.0.1:${metricsPort}`,
    cloudapi: cloudapi.url,
  });
  const uuid = image.uuid;
  const paths = [
    ...['/ping', '/images', `/images/${uuid}`, `/images/${uuid}/file`, `/images/${uuid}/icon`, `/images/${uuid}/acl`],
    ...[
      `/images/${uuid}/copy`,
      '/copies',
      '/state',
      '/datacenters',
      '/jobs/x',
      '/pulls/20260101/x',
      '/docs',
      '/metrics',
    ],
    ...['/link/pair', '/link/ping', '/link/echo', `/link/images/${uuid}`, '/--ping', '/my', `/my/images/${uuid}`],
    ...['/', '//', '/%', '/%2e%2e/ping', '/../ping', '*', 'http://x/ping', 'http://[/ping', 'x', '/ping#?a', '\\ping'],
  ];
  for (const [index, listener] of listeners.entries()) {
    await t.test(`on the ${listener.name} listener`, async (t) => {
      for (let round = 0; round < ROUNDS; round += AT_ONCE) {
        await Promise.all(
          Array.from({ length: AT_ONCE }, async (_, i) => {
            const seed = SEED + index * ROUNDS + round + i;
            const random = seeded(seed);
            const bytes = message(random, paths);
            await talk(listener.url, bytes, random).catch((cause: unknown) => {
              throw new Error(`seed ${seed}: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`, { cause });
            });
          }),
        );
        if (!(await isServed(listener))) t.fail(`not served after seed ${SEED + index * ROUNDS + round + AT_ONCE}`);
      }
      t.ok(await isServed(listener));
    });
  }
  for (const { process } of [imgapi, cloudapi]) t.same([process.exitCode, process.signalCode], [null, null]);
  t.equal(await imgapi.stop(), 0);
  t.equal(log.join(''), '', 'nothing of it is an error of ours');
});
