import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import type { CallOptions } from '#lib/client/caller.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { MODERN_ALGORITHMS } from '#lib/signing/algorithms.ts';
import { digestOf, verifyDigest } from '#lib/signing/digest.ts';
import { generateKeys, parsePrivateKey } from '#lib/signing/keys.ts';
import { LINK_SIGNED_HEADERS } from '#lib/signing/sign-request.ts';
import { linkSigner } from '#lib/signing/signers.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { clientOf, readAll, sendJson, serve } from './server.ts';

const UUID = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';
const ACCOUNT = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';
const IMAGE = `/images/${UUID}`;

type Row = readonly [
  name: string,
  call: (client: ImgapiClient, options: CallOptions) => Promise<unknown>,
  request: string,
  query: Readonly<Record<string, string>>,
  body?: unknown,
];

const CALLS: readonly Row[] = [
  ['ping', (c, o) => c.ping(o), 'GET /ping', {}],
  ['channels', (c, o) => c.listChannels(o), 'GET /channels', {}],
  ['datacenters', (c, o) => c.listDatacenters(o), 'GET /datacenters', {}],
  [
    'getImage',
    (c, o) => c.getImage(UUID, { ...o, inclAdminFields: true }),
    `GET ${IMAGE}`,
    { inclAdminFields: 'true' },
  ],
  ['createImage', (c, o) => c.createImage({ name: 'x' }, o), 'POST /images', {}, { name: 'x' }],
  [
    'createImageFromVm',
    (c, o) => c.createImageFromVm({ name: 'x' }, { vmUuid: UUID, incremental: true }, o),
    'POST /images',
    { action: 'create-from-vm', vm_uuid: UUID, incremental: 'true' },
    { name: 'x' },
  ],
  [
    'adminImportImage',
    (c, o) => c.adminImportImage({ uuid: UUID, v: 2 }, { ...o, skip_owner_check: true }),
    `POST ${IMAGE}`,
    { action: 'import', skip_owner_check: 'true' },
    { uuid: UUID, v: 2 },
  ],
  [
    'adminImportFromSource',
    (c, o) => c.adminImportFromSource(UUID, 'http://other', o),
    `POST ${IMAGE}`,
    { action: 'import', source: 'http://other' },
    {},
  ],
  [
    'importRemote',
    (c, o) => c.adminImportRemoteImage(UUID, 'http://other', { ...o, skip_owner_check: false }),
    `POST ${IMAGE}`,
    { action: 'import-remote', source: 'http://other', skip_owner_check: 'false' },
  ],
  [
    'importFromDatacenter',
    (c, o) => c.importImageFromDatacenter(UUID, 'us-sw-1', o),
    `POST ${IMAGE}`,
    { action: 'import-from-datacenter', datacenter: 'us-sw-1' },
  ],
  [
    'addImageFileFromSource',
    (c, o) => c.addImageFileFromSource(UUID, 'http://other', 'local', o),
    `PUT ${IMAGE}/file`,
    { source: 'http://other', storage: 'local' },
  ],
  [
    'addImageFileFromUrl',
    (c, o) => c.addImageFileFromUrl(UUID, { file_url: 'https://x/y' }, { ...o, compression: 'gzip', sha1: 'abc' }),
    `POST ${IMAGE}/file/from-url`,
    { compression: 'gzip', sha1: 'abc' },
    { file_url: 'https://x/y' },
  ],
  [
    'createPullUrl',
    (c, o) => c.createImageFilePullUrl(UUID, { ...o, index: 0, renew: 'r1' }),
    `POST ${IMAGE}/file/pull-url`,
    { index: '0', renew: 'r1' },
  ],
  ['deleteIcon', (c, o) => c.deleteImageIcon(UUID, o), `DELETE ${IMAGE}/icon`, {}],
  ['activateImage', (c, o) => c.activateImage(UUID, o), `POST ${IMAGE}`, { action: 'activate' }],
  ['enableImage', (c, o) => c.enableImage(UUID, o), `POST ${IMAGE}`, { action: 'enable' }],
  ['disableImage', (c, o) => c.disableImage(UUID, o), `POST ${IMAGE}`, { action: 'disable' }],
  [
    'updateImage',
    (c, o) => c.updateImage(UUID, { eula: null }, o),
    `POST ${IMAGE}`,
    { action: 'update' },
    { eula: null },
  ],
  [
    'channelAdd',
    (c, o) => c.channelAddImage(UUID, { channel: 'dev' }, o),
    `POST ${IMAGE}`,
    { action: 'channel-add' },
    { channel: 'dev' },
  ],
  [
    'exportImage',
    (c, o) => c.exportImage(UUID, { ...o, manta_path: '/a/b' }),
    `POST ${IMAGE}`,
    { action: 'export', manta_path: '/a/b' },
  ],
  [
    'changeStorage',
    (c, o) => c.adminChangeImageStor(UUID, { ...o, stor: 'manta' }),
    `POST ${IMAGE}`,
    { action: 'change-stor', stor: 'manta' },
  ],
  ['cloneImage', (c, o) => c.cloneImage(UUID, o), `POST ${IMAGE}/clone`, {}],
  [
    'deleteImage',
    (c, o) => c.deleteImage(UUID, { ...o, force_all_channels: true }),
    `DELETE ${IMAGE}`,
    { force_all_channels: 'true' },
  ],
  ['addAcl', (c, o) => c.addImageAcl(UUID, ['bob', ACCOUNT], o), `POST ${IMAGE}/acl`, {}, ['bob', ACCOUNT]],
  ['removeAcl', (c, o) => c.removeImageAcl(UUID, ['bob'], o), `POST ${IMAGE}/acl`, { action: 'remove' }, ['bob']],
  ['ancestry', (c, o) => c.getImageAncestry(UUID, o), `GET ${IMAGE}/ancestry`, {}],
  ['jobs', (c, o) => c.listImageJobs(UUID, { ...o, task: 't' }), `GET ${IMAGE}/jobs`, { task: 't' }],
  ['getJob', (c, o) => c.getJob('../x', o), 'GET /jobs/..%2Fx', {}],
  [
    'copyFromDc',
    (c, o) => c.copyImageFromDc(UUID, { ...o, datacenter: 'us-sw-1', do_not_restart: true, dry_run: true }),
    `POST ${IMAGE}`,
    { action: 'copy-from-dc', datacenter: 'us-sw-1', do_not_restart: 'true', dry_run: 'true' },
  ],
  [
    'copyPlan',
    (c, o) => c.planImageCopy(UUID, 'us-sw-1', o),
    `GET ${IMAGE}/copy`,
    { plan: 'true', datacenter: 'us-sw-1' },
  ],
  ['getCopy', (c, o) => c.getImageCopy(UUID, o), `GET ${IMAGE}/copy`, {}],
  ['cancelCopy', (c, o) => c.cancelImageCopy(UUID, o), `DELETE ${IMAGE}/copy`, {}],
  ['listCopies', (c, o) => c.listCopies(o), 'GET /copies', {}],
];

for (const [name, call, request, query, body] of CALLS) {
  test(`${name} sends ${request}`, async (t) => {
    let sent = '';
    const image = { uuid: UUID, answer: 42 };
    const told = name === 'ancestry' ? [image] : image;
    const server = await serve(t, async (incoming, response) => {
      sent = await text(incoming);
      sendJson(response, 200, told);
    });
    const answer = await call(clientOf(t, server.url), { account: ACCOUNT });
    if (name !== 'deleteImage') t.match(answer, name === 'getJob' ? {} : told);
    const [received] = server.received;
    t.equal(`${received?.method} ${received?.path}`, request);
    t.strictSame({ ...received?.query }, { account: ACCOUNT, ...query });
    t.strictSame(sent === '' ? undefined : JSON.parse(sent), body);
  });
}

test('every call carries version, user agent, request id, account and channel', async (t) => {
  const server = await serve(t, (_, response) => sendJson(response, 200, { uuid: UUID }));
  const client = clientOf(t, `${server.url}?channel=dev`, {
    version: '~2',
    userAgent: 'imgadm/1.0',
    requestId: 'r-1',
    account: ACCOUNT,
  });
  await client.getImage(UUID);
  await client.getImage(UUID, { account: UUID, requestId: 'r-2', channel: 'staging' });
  await client.getImageCopy(UUID);
  const [first, second, third] = server.received;
  t.match(first?.headers, { 'accept-version': '~2', 'user-agent': 'imgadm/1.0', 'x-request-id': 'r-1' });
  t.strictSame(first?.query, { account: ACCOUNT, channel: 'dev' });
  t.match(second?.headers, { 'x-request-id': 'r-2' });
  t.strictSame(second?.query, { account: UUID, channel: 'staging' });
  t.match(third?.headers, { 'accept-version': '~3' }, 'what only version 3 knows asks for it');
});

test('a path of the URL goes before every path', async (t) => {
  const server = await serve(t, (_, response) => sendJson(response, 200, {}));
  await clientOf(t, `${server.url}/imgapi/`).ping();
  t.equal(server.received[0]?.path, '/imgapi/ping');
});

test('filters of lists are sent as IMGAPI reads them', async (t) => {
  const server = await serve(t, (_, response) => sendJson(response, 200, []));
  await clientOf(t, server.url).listImages({
    name: '~base 64+',
    type: '!docker',
    public: false,
    billing_tag: ['a', 'b'],
    tags: { role: 'db', empty: '' },
    shared: true,
    limit: 5,
  });
  t.equal(
    server.received[0]?.url,
    '/images?name=~base%2064%2B&type=!docker&public=false&billing_tag=a&billing_tag=b&shared=true&limit=5&tag.role=db&tag.empty='
      .replace('!', '%21')
      .replace('~', '%7E'),
  );
});

test('an image is read with its ETag, and written on the condition of one', async (t) => {
  const server = await serve(t, (_, response) => sendJson(response, 200, { uuid: UUID }, { etag: 'abc' }));
  const client = clientOf(t, server.url);
  t.strictSame(await client.getTaggedImage(UUID), { image: { uuid: UUID }, etag: 'abc' });
  await client.updateImage(UUID, { version: '2' }, { ifMatch: 'abc' });
  t.equal(server.received[1]?.headers['if-match'], 'abc');
});

test('a job says where to ask for it', async (t) => {
  const job = { image_uuid: UUID, job_uuid: ACCOUNT };
  const server = await serve(t, (_, response) => sendJson(response, 200, job, { 'workflow-api': 'http://wf' }));
  t.strictSame(await clientOf(t, server.url).importImageFromDatacenter(UUID, 'x'), {
    ...job,
    workflow_api: 'http://wf',
  });
});

test('a file is streamed up with its size and parameters', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, 7);
  let hash = '';
  const server = await serve(t, async (request, response) => {
    const sha1 = createHash('sha1');
    for await (const part of request) sha1.update(part as Buffer);
    hash = sha1.digest('hex');
    sendJson(response, 200, { uuid: UUID });
  });
  const parameters = { compression: 'gzip', sha1: 'abc', size: 32 * chunk.length, storage: 'local' } as const;
  await clientOf(t, server.url).addImageFile(UUID, Readable.from(Array(32).fill(chunk)), parameters);
  const expected = createHash('sha1');
  for (let n = 0; n < 32; n++) expected.update(chunk);
  t.equal(hash, expected.digest('hex'));
  const [received] = server.received;
  t.strictSame(received?.query, { compression: 'gzip', sha1: 'abc', storage: 'local' });
  t.equal(received?.headers['content-length'], String(32 * chunk.length));
  t.equal(received?.headers['content-type'], 'application/octet-stream');
});

test('an icon goes up and comes down with its type', async (t) => {
  const icon = Buffer.from('GIF89a');
  let stored: Buffer = Buffer.alloc(0);
  const server = await serve(t, async (request, response) => {
    if (request.method === 'PUT') {
      stored = await readAll(request);
      sendJson(response, 200, { uuid: UUID });
    } else {
      response.writeHead(200, { 'content-type': 'image/gif' }).end(stored);
    }
  });
  const client = clientOf(t, server.url);
  await client.addImageIcon(UUID, icon, 'image/gif', { sha1: 'abc' });
  t.equal(server.received[0]?.headers['content-type'], 'image/gif');
  const { contentType, stream } = await client.getImageIcon(UUID);
  t.equal(contentType, 'image/gif');
  t.strictSame(await readAll(stream), icon);
});

test('requests are signed as they are sent, body, query and base path included', async (t) => {
  const key = parsePrivateKey((await generateKeys({ comment: 'x' })).privatePem);
  const rules = {
    keysOf: () => [key.publicKey],
    algorithms: MODERN_ALGORITHMS,
    required: LINK_SIGNED_HEADERS,
  };
  const server = await serve(t, async (request, response, { method, url, headers }) => {
    const body = await readAll(request);
    try {
      const { keyId, nonce } = await verifyRequest({ method, path: url, headers }, rules);
      verifyDigest(String(headers['digest']), body);
      sendJson(response, 200, { uuid: UUID, keyId, hasNonce: nonce !== undefined });
    } catch (cause) {
      sendJson(response, 401, { code: 'UnauthorizedError', message: String(cause) });
    }
  });
  const signer = linkSigner({ key, keyId: '/us-sw-1/keys/x' });
  const client = clientOf(t, `${server.url}/base`, { signer });
  t.match(await client.getImage(UUID, { account: ACCOUNT }), { keyId: '/us-sw-1/keys/x', hasNonce: false });
  t.match(await client.updateImage(UUID, { name: 'ü' }), { hasNonce: true });
  t.match(await client.createImageFilePullUrl(UUID), { hasNonce: true });
  t.equal(server.received[2]?.headers['digest'], digestOf());
});

test('connections are kept and used again', async (t) => {
  const server = await serve(t, (_, response) => sendJson(response, 200, {}));
  const client = clientOf(t, server.url);
  for (let n = 0; n < 10; n++) await client.ping();
  t.ok(server.connections() <= 2, `${server.connections()} connections`);
  await client.close();
  await t.rejects(client.ping());
});

test('a copy is watched line by line as it goes on', async (t) => {
  let proceed: () => void = () => {};
  const server = await serve(t, async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-json-stream' });
    response.write('{"state":"queued"}\n\n{"state":"run');
    await new Promise<void>((resolve) => {
      proceed = resolve;
    });
    response.end('ning"}\r\n{"state":"succeeded"}');
  });
  const states: string[] = [];
  for await (const { state } of clientOf(t, server.url).watchImageCopy(UUID)) {
    if (states.length === 0) proceed();
    states.push(state);
  }
  t.strictSame(states, ['queued', 'running', 'succeeded']);
  t.equal(server.received[0]?.headers.accept, 'application/x-json-stream');
});

test('who stops watching leaves no connection behind', async (t) => {
  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = await serve(t, (_, response) => {
    response.on('close', closed);
    response.write('{"state":"queued"}\n');
  });
  for await (const status of clientOf(t, server.url).watchImageCopy(UUID)) {
    t.equal(status.state, 'queued');
    break;
  }
  await gone;
});
