import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { knownDatacenters, recordedSource, sourceFor } from '#src/datacenters/sources/sources.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { bytesOf, type Datacenter, setConfig, startDatacenter } from '../../../helpers/datacenter.ts';

const UUID = '11111111-2222-4333-8444-555555555555';
const BYTES = randomBytes(10_000);
const SHA1 = createHash('sha1').update(BYTES).digest('hex');
const MANIFEST = {
  v: 2,
  uuid: UUID,
  owner: ALICE,
  name: 'base',
  version: '1',
  type: 'zone-dataset',
  os: 'smartos',
  state: 'active',
  public: true,
  files: [{ sha1: SHA1, size: BYTES.length, compression: 'none' }],
  channels: ['release'],
};
const { signal } = new AbortController();

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An IMGAPI of today: no ranges, an ETag without quotes, If-Match compared with the wrong tag. */
const today: Answer = (request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://x');
  if (request.headers['if-match'] !== undefined) {
    response.writeHead(412);
    response.end();
  } else if (pathname === `/images/${UUID}`) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(MANIFEST));
  } else if (pathname === `/images/${UUID}/file`) {
    response.writeHead(200, { etag: SHA1, 'content-length': BYTES.length });
    response.end(BYTES);
  } else {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'ResourceNotFound', message: 'image not found' }));
  }
};

async function startImgapi(t: Test, answer: Answer = today) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function withLegacy(t: Test, url: string): Promise<Datacenter> {
  return startDatacenter(t, 'us-east-1', { keys: { imgapiUrlFromDatacenter: { 'us-old-1': url } } });
}

test('a legacy link asks as today: unsigned, for any version, naming the account', async (t) => {
  const { url, asked } = await startImgapi(t);
  const { service } = await withLegacy(t, url);
  t.strictSame(await knownDatacenters(service), ['us-old-1']);
  const source = (await sourceFor(service, 'us-old-1'))!;
  t.equal(source.kind, 'legacy');
  const { manifest } = await source.getImage(UUID, ALICE, signal);
  t.match(manifest, { uuid: UUID, owner: ALICE, public: false });
  t.notOk('channels' in manifest);
  t.match(asked[0], { url: `/images/${UUID}?account=${ALICE}`, headers: { 'accept-version': '*' } });
  t.equal(asked[0]!.headers.authorization, undefined);
});

test('an owner that is not the account is for the caller to judge', async (t) => {
  const { url } = await startImgapi(t);
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  t.equal((await source.getImage(UUID, BOB, signal)).manifest['owner'], ALICE);
});

test('a file that is asked for from the middle comes from the start, and says so', async (t) => {
  const { url } = await startImgapi(t);
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  const file = await source.getFile(UUID, { account: ALICE, start: 5_000, sha1: SHA1, signal });
  t.match(file, { status: 200, length: BYTES.length });
  t.ok((await bytesOf(file.stream)).equals(BYTES));
});

test('another file under the same name counts as 412', async (t) => {
  const { url } = await startImgapi(t);
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  await t.rejects(source.getFile(UUID, { account: ALICE, start: 0, sha1: '0'.repeat(40), signal }), {
    name: 'ImgapiError',
    statusCode: 412,
  });
});

test('such sources give no pull URLs, store identity or icon, and errors pass as they came', async (t) => {
  const { url } = await startImgapi(t);
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  t.equal(await source.createPullUrl(UUID, ALICE, undefined, signal), undefined);
  t.strictSame(await source.storeIdentities(signal), []);
  t.equal(await source.getIcon(UUID, ALICE, signal), undefined);
  await t.rejects(source.getPullUrl(`${url}/x`, { account: ALICE, start: 0, sha1: SHA1, signal }), {
    name: 'SourceInvalidError',
  });
  await t.rejects(source.getImage('99999999-2222-4333-8444-555555555555', ALICE, signal), {
    statusCode: 404,
    code: 'ResourceNotFound',
  });
});

test('an icon that is too large, or no picture, is refused', async (t) => {
  let headers: Record<string, string> = { 'content-type': 'image/png', 'content-length': '200000' };
  const { url } = await startImgapi(t, (_request, response) => {
    response.writeHead(200, headers);
    response.end(Buffer.alloc(Number(headers['content-length'])));
  });
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  await t.rejects(source.getIcon(UUID, ALICE, signal), { name: 'SourceInvalidError' });
  headers = { 'content-type': 'text/html', 'content-length': '10' };
  await t.rejects(source.getIcon(UUID, ALICE, signal), { name: 'SourceInvalidError' });
});

test('an operator may name an IMGAPI by URL; its public images stay public', async (t) => {
  const { url, asked } = await startImgapi(t);
  const datacenter = await startDatacenter(t, 'us-east-1');
  setConfig(datacenter, 'sources', { allowPrivateAddresses: true });
  const source = (await recordedSource(datacenter.service, `${url}?channel=dev`))!;
  t.match(source, { kind: 'url', name: `${url}?channel=dev` });
  const { manifest } = await source.getImage(UUID, undefined, signal);
  t.equal(manifest['public'], true);
  t.equal(asked[0]!.url, `/images/${UUID}?channel=dev`);
});

test('a URL is no datacenter, so that an account cannot name one', async (t) => {
  const { url } = await startImgapi(t);
  const { service } = await startDatacenter(t, 'us-east-1');
  t.equal(await sourceFor(service, url), undefined);
  t.equal(await sourceFor(service, '__proto__'), undefined);
});

test('a URL into our own network is refused unless the config allows it', async (t) => {
  const { url, asked } = await startImgapi(t);
  const datacenter = await startDatacenter(t, 'us-east-1');
  setConfig(datacenter, 'sources', { allowPrivateAddresses: false });
  await t.rejects(async () => {
    const source = await recordedSource(datacenter.service, url);
    await source?.getImage(UUID, undefined, signal);
  });
  t.equal(asked.length, 0);
});

test('a file whose sha1 is no text is refused as such, whatever it is instead', async (t) => {
  let sha1: unknown;
  const { url } = await startImgapi(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...MANIFEST, files: [{ ...MANIFEST.files[0], sha1 }] }));
  });
  const { service } = await withLegacy(t, url);
  const source = (await sourceFor(service, 'us-old-1'))!;
  for (sha1 of [null, 5, {}, [SHA1], { toString: 1 }, { toString: 1, valueOf: 1 }]) {
    await t.rejects(source.getImage(UUID, ALICE, signal), {
      name: 'SourceInvalidError',
      message: /is not a file with a sha1 and a size/,
    });
  }
});
