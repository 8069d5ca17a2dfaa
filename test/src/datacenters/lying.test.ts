/** A linked datacenter that answers what cannot be right, or never ends to answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { expectSuccess } from '#lib/client/answer.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { smallJson } from '#lib/client/small-json.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import { unreachable } from '#lib/client/transport-fault.ts';
import { checkLink } from '#src/datacenters/links/check-link.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { deleteLink } from '#src/datacenters/links/links.ts';
import { remoteFailure } from '#src/datacenters/peers/remote-failure.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { clientOf, linkedPair, putImage, startDatacenter } from '../../helpers/datacenter.ts';
import { startLyingDatacenter } from '../../helpers/lying-datacenter.ts';

const DRIP_MS = 20;

async function linkedWithLiar(t: Test) {
  const [east, liar] = await Promise.all([startDatacenter(t, 'us-east-1'), startLyingDatacenter(t, 'us-liar-1')]);
  const { token, url } = await createLinkToken(liar.service);
  await linkDatacenter(east.service, { name: liar.name, url, token });
  return { east, liar };
}

/** A byte of white space now and then, which never is JSON and never silence. */
function drip(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.on('close', () => clearInterval(timer));
}

/** Headers without end. */
function dripHeaders(_request: IncomingMessage, { socket }: ServerResponse): void {
  socket?.write('HTTP/1.1 200 OK\r\nX-Long: ');
  const timer = setInterval(() => socket?.write('a'), DRIP_MS);
  socket?.on('close', () => clearInterval(timer));
}

function hints(_request: IncomingMessage, { socket }: ServerResponse): void {
  const timer = setInterval(() => socket?.write('HTTP/1.1 103 Early Hints\r\n\r\n'), DRIP_MS);
  socket?.on('close', () => clearInterval(timer));
}

for (const [what, answer] of Object.entries({ drip, dripHeaders, hints })) {
  test(`a message is given up in time though the answer never falls silent: ${what}`, async (t) => {
    const { east, liar } = await linkedWithLiar(t);
    liar.lies = [{ path: /^\/link\//, answer }];
    const client = await clientOf(east, liar.name);
    const late = { name: 'TimeoutError' };
    await t.rejects(client.json({ method: 'GET', path: '/link/ping', timeout: 500 }), late);
    await t.rejects(client.json({ method: 'POST', path: '/link/check', timeout: 500 }), late);
    const transport = new HttpTransport({ url: liar.url });
    t.teardown(() => transport.destroy());
    const send = async (message: Parameters<HttpTransport['send']>[0]) => expectSuccess(await transport.send(message));
    await t.rejects(smallJson(send, { method: 'POST', path: '/link/pair', body: '{}', timeout: 500 }), late);
  });
}

test('an operator is told that the other did not answer in time', (t) => {
  const cause = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  t.match(remoteFailure(cause, 'url', 'http://there'), {
    code: 'RemoteSourceError',
    message: 'http://there did not answer in time',
  });
  t.end();
});

const NOT_FOUND = new ImgapiError('image "1" not found', { code: 'ResourceNotFound', statusCode: 404 });

for (const [what, by, cause, message] of [
  [
    'one that could not be reached',
    'source',
    unreachable('connect', 'http://there/images/1'),
    'http://there/images/1 cannot be reached',
  ],
  ['words of the other server', 'source', NOT_FOUND, 'http://There/: image "1" not found'],
  [
    'a file that could not be fetched',
    'file_url',
    unreachable('reset', 'http://there/'),
    'http://there/ broke the connection',
  ],
  ['a refusal of a file', 'file_url', NOT_FOUND, 'http://There/ could not be fetched: image "1" not found'],
] as const) {
  test(`where another server is is told once: ${what}`, (t) => {
    t.match(remoteFailure(cause, by, 'http://There/'), { message });
    t.end();
  });
}

test('a check takes no more bytes than it asked for', async (t) => {
  const { east, liar } = await linkedWithLiar(t);
  let sent = 0;
  const cut = new Promise<void>((resolve) => {
    liar.lies = [
      {
        path: /^\/link\/blob/,
        answer(_request, response) {
          const more = () => {
            do sent += 256 * 1024;
            while (!response.destroyed && response.write(Buffer.alloc(256 * 1024)));
          };
          response.on('drain', more).on('close', resolve);
          response.writeHead(200);
          more();
        },
      },
    ];
  });
  const { ok, checks } = await checkLink(east.service, liar.name);
  await cut;
  t.equal(ok, false);
  t.match(
    checks.find(({ check }) => check === 'download'),
    { ok: false, detail: /1048576 bytes were sent/ },
  );
  t.ok(sent < 64 * 1024 * 1024, `${sent} bytes`);
});

test('a time that is none is no clock that agrees', async (t) => {
  const { east, liar } = await linkedWithLiar(t);
  const stores = {};
  liar.lies = [
    {
      path: /^\/link\/ping/,
      answer: (_request, response) =>
        void response.end(
          JSON.stringify({ datacenter: liar.name, versions: { service: '1', link: 1 }, time: 'soon', stores }),
        ),
    },
  ];
  t.match(await checkLink(east.service, liar.name), {
    ok: false,
    checks: [{ check: 'reach', ok: false, detail: /gives its time as "soon"/ }],
  });
});

test('a pull link that was made while its link ended opens nothing', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record } = await putImage(west, ALICE);
  const { signal } = new AbortController();
  const pull = await linkSource(east.service, west.name).createPullUrl(record.uuid, ALICE, undefined, signal);
  t.equal((await request(pull!.url)).statusCode, 200);
  await west.service.store.batch([deleteLink(east.name)]);
  t.equal((await request(pull!.url)).statusCode, 404);
});
